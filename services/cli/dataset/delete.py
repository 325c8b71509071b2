"""chimera dataset delete: rows go, and stay gone.

The deletion is an event, which the aggregator and every rebuild obey, and for which the planner asks for another row.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from schemas.events import SampleDeleted
from services.cli.common.dataset_location import dataset_in
from services.cli.common.kafka_connection import access, call_kafka
from shared.config.connections import KafkaAccess
from shared.dataset import Dataset, Row, purge
from shared.dataset.query import among
from shared.dataset.storage import Location
from shared.errors import Refusal
from shared.kafka.clients import Producer
from shared.kafka.codec import encode

PATIENCE_S = 30.0
LEFT = (
    "Kafka's log cannot be purged: problem.*, solution.* and sample.* keep what was said about a row. Rebuilds obey\n"
    "the deletion. The ledger keeps earlier attempts at the problem, and exports made before keep the row."
)


def delete(
    directory: Path, prefixes: Sequence[str], reason: str, bootstrap: str, factory: str, *, purged: bool
) -> dict[str, Any]:
    """Delete the rows whose ids begin so, all or none; with `purged`, also from older versions of the table.

    Raises Refusal when an id is of no row, when no Kafka takes the deletion, or there is nothing that could be purged
    yet.
    """
    folder = dataset_in(directory)
    dataset = Dataset.open(folder)
    rows = [*{row.id: row for prefix in prefixes for row in _rows(dataset, prefix)}.values()]
    if rows:
        kafka = access(bootstrap, directory)
        call_kafka(kafka, _publish(kafka, factory, rows, reason))
    waiting = _waiting(folder, {row.id for row in rows})
    if purged and waiting:
        next_step = "Look at `chimera status`, and repeat the command once the aggregator has done its work"
        raise Refusal(f"the deletion is on the log, but {len(waiting)} rows are still in the table", next_step)
    return {
        "deleted": [row.id for row in rows],
        "waiting": sorted(waiting),
        "purged_files": purge(folder) if purged else None,
        "left": LEFT,
    }


def _rows(dataset: Dataset, prefix: str) -> Iterator[Row]:
    """The row to be deleted; none when it has been already."""
    found = dataset.get(prefix)
    if found.row:
        yield found.row
    elif not any(entry.kind == "deleted" for entry in found.entries):
        raise Refusal(f"{prefix} is no row: it was not curated", "See `chimera dataset show`; only rows can be deleted")


async def _publish(kafka: KafkaAccess, factory: str, rows: Sequence[Row], reason: str) -> None:
    producer = Producer(kafka, factory)
    await producer.start()
    try:
        await producer.publish(encode(_deletion(row, reason), f"{factory}/cli") for row in rows)
    finally:
        await producer.stop()


def _deletion(row: Row, reason: str) -> SampleDeleted:
    return SampleDeleted.root(
        UUID(row.id),
        "cli",
        sample_id=UUID(row.id),
        subject=row.subject,
        admission=row.admission,
        decision=reason,
        row_hash=row.row_hash,
    )


def _waiting(folder: Location, ids: set[str]) -> set[str]:
    """Those that the aggregator has not deleted, after some patience."""
    until = time.monotonic() + PATIENCE_S
    while True:
        left = {row["id"] for row in Dataset.open(folder).rows.columns("id", where=among(ids))}
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)
