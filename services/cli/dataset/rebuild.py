"""chimera dataset rebuild: the dataset again, from what Kafka keeps for ever."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from schemas.events import AuditJudged, ProblemRejected, SampleDeleted, SolutionChecked
from services.cli.common.atomic_folder import atomic_folder
from services.cli.common.kafka_connection import access, call_kafka
from shared.config.connections import KafkaAccess
from shared.dataset.event_replay import REPLAYED, AdmissionReplay
from shared.dataset.rebuild import Rebuild
from shared.kafka.read.replay import replay
from shared.ports import Record

Tell = Callable[[str, int], None]


def rebuild(directory: Path, out: Path, bootstrap: str, factory: str) -> dict[str, Any]:
    """Write the folder; returns what is in it. Raises Refusal when it is not empty, or the log is not complete."""
    kafka = access(bootstrap, directory)
    with atomic_folder(out) as draft, Progress(console=Console(stderr=True), transient=True) as progress:
        tasks = {}

        def tell(name: str, records: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=None)
            progress.advance(tasks[name], records)

        made = call_kafka(kafka, built(kafka, factory, draft, tell))
    return {
        "out": str(out),
        "rows": made.rows,
        "ledger": made.entries,
        "audits": made.audits,
        "differing": made.differing,
    }


async def built(kafka: KafkaAccess, factory: str, folder: Path, tell: Tell) -> Rebuild:
    """The tables in a folder, from a factory's log; tells how many records of which Kafka topic were read."""

    async def heard(name: str) -> AsyncIterator[list[Record]]:
        async for batch in replay(kafka, factory, name):
            tell(name, len(batch))
            yield batch

    said = AdmissionReplay()
    for name in REPLAYED:
        async for batch in heard(name):
            for record in batch:
                said.apply(record.event, record.written)
    made = Rebuild(folder, factory, said)
    for kind, take in (
        (SolutionChecked, made.solutions),
        (ProblemRejected, made.rejections),
        (SampleDeleted, made.deletions),
        (AuditJudged, made.judgements),
    ):
        async for batch in heard(kind.type):
            take(batch)
    made.finish()
    return made
