"""`chimera audit`: the results of items with planted errors, and of controls."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from services.cli import wrong_keys
from services.cli.common.sanitize_terminal import as_text

SIMULATED = "SIMULATED: these rates prove the arithmetic, not the models."
BOUND = "Natural errors are subtler than planted ones: read the rates of accepted defects as a lower bound."

SUSPICIOUS = (
    "The verifiers share more errors with each other than with the solver. If they are one model behind two names, "
    "their two verdicts count as one. `chimera check models` shows endpoints and models."
)

SHOWN = (
    ("Items with planted errors, by kind", "accepted", "let_through"),
    ("Items with planted errors, by difficulty", "accepted", "by_difficulty"),
    ("Items with planted errors, by check", "noticed", "noticed"),
    ("Controls", "rejected", "falsely_rejected"),
    ("Controls, by check", "noticed", "false_alarms"),
    ("The judge of answers, on pairs that the rules decided", "wrong", "judge"),
)
"""Title of a table, name of a hit, key in the document."""


def render(figures: Mapping[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console(highlight=False)
    if figures["simulated"]:
        console.print(SIMULATED, style="bold yellow")
    wrong_keys.render(figures["wrong_keys"])
    if figures["not_judged"]:
        console.print(f"{figures['not_judged']:,} audits were not judged: the budget was spent.", "")
    for title, hits, part in SHOWN:
        console.print(_table(title, hits, figures[part]), "")
    console.print(BOUND, style="dim", soft_wrap=True)
    agreement = figures["agreement"]
    console.print("", _table("The same wrong answer, where both were wrong", "same", agreement["pairs"]))
    if agreement["suspicious"]:
        console.print(SUSPICIOUS, style="bold yellow", soft_wrap=True)


def _table(title: str, hits: str, rates: Mapping[str, Mapping[str, Any]]) -> Table:
    one = next(iter(rates.values()), {})
    more = [key for key in ("unable", "needed") if key in one]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True, min_width=18)
    for name in (hits, "of", "rate", "95 % interval", *more):
        table.add_column(name, justify="right", no_wrap=True)
    for name, rate in rates.items():
        share = "" if rate["rate"] is None else f"{rate['rate']:.1%}"
        interval = f"{rate['low']:.1%} to {rate['high']:.1%}" if rate["n"] else ""
        extra = ("" if rate[key] is None else f"{rate[key]:,}" for key in more)
        table.add_row(as_text(name), f"{rate['hits']:,}", f"{rate['n']:,}", share, interval, *extra)
    return table
