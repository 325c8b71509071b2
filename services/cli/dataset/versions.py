"""`chimera dataset versions`, `diff`: the releases, and the changes between two versions."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from services.cli.common.sanitize_terminal import as_text
from shared.dataset import Dataset, list_manifests
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


def render(releases: list[dict[str, Any]]) -> None:
    """Print the releases for a person."""
    if not releases:
        Console().print("No release yet: the plan's `releases` defines when one is made.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("release", "rows", "plan", "rows table", "ledger", "until", "sha256"):
        table.add_column(name, justify="right" if name in ("release", "rows", "rows table", "ledger") else "left")
    for one in releases:
        until = str(one["until"] or "unknown")[:16].replace("T", " ")
        versions = (str(one["table_version"]), str(one["ledger_version"]))
        plan = as_text(f"{one['plan']}@{one['plan_hash'][:8]}")
        table.add_row(str(one["number"]), f"{one['rows']:,}", plan, *versions, until, one["sha256"][:12])
    Console().print(table)


def render_difference(changes: Mapping[str, Any]) -> None:
    """Print the changes for a person."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("rows")
    for name in CHANGES:
        table.add_column(name, justify="right")
    table.add_row("all", *(f"{changes[name]:,}" for name in CHANGES))
    for by in ("subject", "tier", "admission"):
        counts = changes[f"by_{by}"]
        for value in sorted({value for name in CHANGES for value in counts[name]}):
            table.add_row(as_text(f"{by} {value}"), *(f"{counts[name].get(value, 0):,}" for name in CHANGES))
    Console().print(table)
