"""`chimera dataset delete`: deletes rows for good.

The deletion is an event. The aggregator and every rebuild apply it, and the planner requests another row for it.
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
from shared.dataset import Dataset, Row
from shared.dataset.maintenance import purge
from shared.dataset.query import id_in
from shared.dataset.storage import Location
from shared.errors import Refusal
from shared.kafka.clients import Producer
from shared.kafka.codec import encode

TIMEOUT_S = 30.0
"""Longest wait for the aggregator."""
LEFT = (
    "Kafka's log cannot be purged: problem.*, solution.* and sample.* keep the events of a row. Rebuilds apply the\n"
    "deletion. The ledger keeps earlier attempts at the problem, and earlier exports keep the row."
)


def delete(
    directory: Path, prefixes: Sequence[str], reason: str, bootstrap: str, factory: str, *, purged: bool
) -> dict[str, Any]:
    """Delete the rows whose ids begin with the prefixes, all or none; with `purged`, also from older table versions.

    Raises Refusal when a prefix matches no row, when Kafka does not accept the deletion, or when the aggregator has not
    deleted the rows before a purge.
    """
    folder = dataset_in(directory)
    dataset = Dataset.open(folder)
    rows = [*{row.id: row for prefix in prefixes for row in _rows(dataset, prefix)}.values()]
    if rows:
        kafka = access(bootstrap, directory)
        call_kafka(kafka, _publish(kafka, factory, rows, reason))
    pending = _pending(folder, {row.id for row in rows})
    if purged and pending:
        next_step = "See `chimera status`, and repeat the command when the aggregator has deleted them"
        raise Refusal(f"the deletion is published, but {len(pending)} rows are still in the table", next_step)
    return {
        "deleted": [row.id for row in rows],
        "waiting": sorted(pending),
        "purged_files": purge(folder) if purged else None,
        "left": LEFT,
    }


def _rows(dataset: Dataset, prefix: str) -> Iterator[Row]:
    """Yield the row to delete; nothing when it is deleted already."""
    item = dataset.get(prefix)
    if item.row:
        yield item.row
    elif not any(entry.kind == "deleted" for entry in item.entries):
        raise Refusal(
            f"{prefix} is not a row: it was not curated", "See `chimera dataset show`: only rows can be deleted"
        )


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


def _pending(folder: Location, ids: set[str]) -> set[str]:
    """Return the ids that the aggregator has not deleted within TIMEOUT_S."""
    until = time.monotonic() + TIMEOUT_S
    while True:
        left = {row["id"] for row in Dataset.open(folder).rows.columns("id", where=id_in(ids))}
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)
