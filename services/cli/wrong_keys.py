"""Prints the estimated share of wrong keys among rows, for `chimera audit`."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.dataset.reports.wrong_keys import MEANING, share_range


def render(document: Mapping[str, Any]) -> None:
    """Print the estimate for a person."""
    console = Console(highlight=False)
    table = Table(
        title="Estimated share of wrong keys among rows",
        title_justify="left", box=None, pad_edge=False, header_style="dim",
    )  # fmt: skip
    table.add_column("", no_wrap=True, min_width=18)
    for name in ("rows", "wrong keys", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for view, share in document["rows"].items():
        table.add_row(
            view, f"{share['rows']:,}", *([f"{share['estimate']:.1%}", share_range(share)] if share["rows"] else [])
        )
    console.print(table)
    console.print(f"from the votes on {document['items']:,} problems:", style="dim", soft_wrap=True)
    for name, one in document["parameters"].items():
        console.print(
            f"  {MEANING[name]}: {one['estimate']:.2f} ({one['low']:.2f} to {one['high']:.2f})",
            style="dim",
            soft_wrap=True,
        )
    for name, value in document["assumed"].items():
        console.print(f"  {MEANING[name]}: {value:.2f}, assumed: nothing was counted", style="yellow", soft_wrap=True)
    console.print("")
