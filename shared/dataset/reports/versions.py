"""What was released, and what changed between two releases."""

from collections import Counter
from typing import Any

from shared.dataset.reader import Dataset
from shared.dataset.releases import list_manifests
from shared.dataset.storage import Location

CHANGES = ("in", "out", "changed")
_COLUMNS = ("id", "row_hash", "admission", "split", "views", "subject", "tier")


def list_releases(folder: Location) -> list[dict[str, Any]]:
    """Return the releases, oldest first. Raises Refusal without a dataset."""
    Dataset.open(folder)
    keys = ("number", "rows", "plan", "plan_hash", "table_version", "ledger_version", "until", "sha256")
    return [{key: one.get(key) for key in keys} for one in list_manifests(folder)]


def difference(before: Dataset, after: Dataset) -> dict[str, Any]:
    """Return the added, removed and changed rows between two versions, as one JSON document."""
    old, new = ({row["id"]: row for row in one.rows.columns(*_COLUMNS)} for one in (before, after))
    ids = {
        "in": sorted(new.keys() - old.keys()),
        "out": sorted(old.keys() - new.keys()),
        "changed": sorted(id_ for id_ in old.keys() & new.keys() if old[id_] != new[id_]),
    }
    rows = {**old, **new}
    counts = {
        by: {name: dict(sorted(Counter(rows[id_][by] for id_ in ids[name]).items())) for name in CHANGES}
        for by in ("subject", "tier", "admission")
    }
    return {**{name: len(ids[name]) for name in CHANGES}, **{f"by_{by}": n for by, n in counts.items()}, "ids": ids}
