"""Builds the events of the aggregator."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from schemas.events import (
    BeliefEstimated,
    Cause,
    DatasetReleased,
    Event,
    SampleCurated,
    TrainingTriggered,
)
from schemas.identity import derive, factory_id
from schemas.item import Example, Step
from schemas.spend import spent
from shared.dataset import Release
from shared.dataset.amend import follows_from_another
from shared.dataset.split import TRAIN

_LINEAGE = TypeAdapter(tuple[Step, ...])

ROLE = "aggregator"

SUMMARY_LENGTH = 120
"""Characters of a row's problem that are published; none of a held-out row."""

ROW_FIELDS = ("plan", "subject", "topic", "tier", "correct", "admission", "split", "row_hash")
EXAMPLE_LENGTH = 1500
"""Characters of a problem up to which it is published as an example."""

COLUMNS = ("id", "views", "problem", "answer", "event", "event_hash", "lineage", *ROW_FIELDS)
"""Columns of a row that `sample_curated` needs."""


def is_apart(row: Mapping[str, Any]) -> bool:
    """Whether a row was imported and does not count."""
    sources = (step.source for step in _LINEAGE.validate_json(row["lineage"]))
    return any(source and not source.counts for source in sources)


def sample_curated(row: Mapping[str, Any], index: int = 0, before: str | None = None) -> SampleCurated:
    """Build sample.curated for a new row, or with index 1 for a row admitted from the reserve.

    For a row that a reverification moves the index is the version of its commit, and `before` its earlier admission.
    """
    is_example = row["split"] == TRAIN and len(row["problem"]) <= EXAMPLE_LENGTH
    cause = Cause(parent=UUID(row["event"]), parent_hash=row["event_hash"], role=ROLE, index=index)
    lineage = _LINEAGE.validate_json(row["lineage"])
    return SampleCurated(
        id=SampleCurated.derive_id(cause),
        cause=cause,
        sample_id=UUID(row["id"]),
        **{name: row[name] for name in ROW_FIELDS},
        views=tuple(row["views"]),
        summary=" ".join(row["problem"].split())[:SUMMARY_LENGTH] if row["split"] == TRAIN else None,
        spent=spent(call for step in lineage for call in step.calls),
        imported=True if any(step.source for step in lineage) or follows_from_another(row) else None,
        before=before,
        example=Example(statement=row["problem"], answer=row["answer"]) if is_example else None,
    )


def release_events(factory: str, release: Release, *, train: bool) -> list[Event]:
    """Build dataset.released and, with `train`, training.triggered.

    Ids are derived from the number of the release: a table rebuilt from the log gives the same ids, so no training is
    repeated.
    """
    parent = derive(factory_id(factory), f"{ROLE}/releases")
    fields = {"plan": release.plan, "release": release.number, "rows": release.rows}
    kinds: list[type[Event]] = [DatasetReleased, TrainingTriggered] if train else [DatasetReleased]
    return [
        kind.root(parent, ROLE, index=release.number, table_version=release.table_version, **fields) for kind in kinds
    ]


def belief_events(factory: str, manifest: Mapping[str, Any]) -> list[Event]:
    """Build belief.estimated from the manifest of a release; none where it has no estimate.

    The manifest is written once, so the same id always has the same content.
    """
    if "belief" not in manifest:
        return []
    parent, number = derive(factory_id(factory), f"{ROLE}/releases"), int(manifest["number"])
    fields = {"plan": manifest["plan"], "release": number, "estimate": manifest["belief"]}
    return [BeliefEstimated.root(parent, ROLE, index=number, **fields)]
