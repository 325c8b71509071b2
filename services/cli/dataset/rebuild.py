"""`chimera dataset rebuild`: builds the dataset from the retained Kafka topics."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from schemas.events import (
    AuditJudged,
    ProblemRejected,
    ProblemReprobed,
    ProblemResolved,
    ProblemReverified,
    ProblemReviewed,
    SampleDeleted,
    SolutionChecked,
)
from services.cli.common.atomic_folder import atomic_folder
from services.cli.common.kafka_connection import access, call_kafka
from shared.config.connections import KafkaAccess
from shared.dataset.event_replay import REPLAYED, AdmissionReplay
from shared.dataset.rebuild import Rebuild
from shared.kafka.read.replay import replay
from shared.ports import Record

ReportRecords = Callable[[str, int], None]


def rebuild(directory: Path, out: Path, bootstrap: str, factory: str) -> dict[str, Any]:
    """Write the folder; returns its numbers. Raises Refusal when it is not empty, or when the log is incomplete."""
    kafka = access(bootstrap, directory)
    with atomic_folder(out) as draft, Progress(console=Console(stderr=True), transient=True) as progress:
        tasks = {}

        def report(name: str, records: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=None)
            progress.advance(tasks[name], records)

        result = call_kafka(kafka, build(kafka, factory, draft, report))
    return {
        "out": str(out),
        "rows": result.rows,
        "ledger": result.entries,
        "audits": result.audits,
        "differing": result.differing,
    }


async def build(kafka: KafkaAccess, factory: str, folder: Path, report: ReportRecords) -> Rebuild:
    """Build the tables in a folder from a factory's log; report the number of records read from each Kafka topic."""

    async def read(name: str) -> AsyncIterator[list[Record]]:
        async for batch in replay(kafka, factory, name):
            report(name, len(batch))
            yield batch

    admissions = AdmissionReplay()
    for name in REPLAYED:
        async for batch in read(name):
            for record in batch:
                admissions.apply(record.event, record.written)
    result = Rebuild(folder, factory, admissions)
    for kind, take in (
        (SolutionChecked, result.add_solutions),
        (ProblemRejected, result.add_rejections),
        (SampleDeleted, result.add_deletions),
        (AuditJudged, result.add_audits),
        (ProblemReverified, result.add_reverifications),
        (ProblemResolved, result.add_resolutions),
        (ProblemReprobed, result.add_probings),
        (ProblemReviewed, result.add_reviews),
    ):
        async for batch in read(kind.type):
            take(batch)
    result.finish()
    return result
