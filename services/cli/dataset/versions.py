"""`chimera dataset versions`, `diff`: the releases, and the changes between two versions."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from services.cli.common.sanitize_terminal import as_text
from shared.dataset.reports.versions import CHANGES


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
