"""What the aggregator says about its rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from schemas.events import Cause, DatasetReleased, Event, SampleCurated, TrainingTriggered
from schemas.identity import derive, factory_id
from schemas.item import Step
from schemas.spend import spent
from shared.dataset import Release
from shared.dataset.split import TRAIN

_LINEAGE = TypeAdapter(tuple[Step, ...])

ROLE = "aggregator"

SUMMARY_LENGTH = 120
"""Characters of the problem that are told of a row; nothing of one that is held out."""

ROW_FIELDS = ("plan", "subject", "topic", "tier", "correct", "admission", "split", "row_hash")
COLUMNS = ("id", "views", "problem", "event", "event_hash", "lineage", *ROW_FIELDS)
"""Columns of a row that `sample_curated` speaks of."""


def sample_curated(row: Mapping[str, Any], index: int = 0) -> SampleCurated:
    """The row is there; with index 1: it was in reserve and has been admitted."""
    cause = Cause(parent=UUID(row["event"]), parent_hash=row["event_hash"], role=ROLE, index=index)
    return SampleCurated(
        id=SampleCurated.derive_id(cause),
        cause=cause,
        sample_id=UUID(row["id"]),
        **{name: row[name] for name in ROW_FIELDS},
        views=tuple(row["views"]),
        summary=" ".join(row["problem"].split())[:SUMMARY_LENGTH] if row["split"] == TRAIN else None,
        spent=spent(call for step in _LINEAGE.validate_json(row["lineage"]) for call in step.calls),
    )


def release_events(factory: str, release: Release, *, train: bool) -> list[Event]:
    """The release, and training on it.

    Ids are derived from the release's number: a table that is rebuilt from the log makes the same ids again, so that
    nobody trains twice.
    """
    parent = derive(factory_id(factory), f"{ROLE}/releases")
    fields = {"plan": release.plan, "release": release.number, "rows": release.rows}
    kinds: list[type[Event]] = [DatasetReleased, TrainingTriggered] if train else [DatasetReleased]
    return [
        kind.root(parent, ROLE, index=release.number, table_version=release.table_version, **fields) for kind in kinds
    ]
