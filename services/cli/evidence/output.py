"""What a run of stored items prints: its needs before, and its end."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from rich.console import Console

from services.cli.check.forecast import Need
from services.cli.check.plan_check import needs_table
from services.cli.common.sanitize_terminal import as_text
from services.cli.evidence.feeding import FeedState


def print_needs(run: str, items: int, todo: str, needs: Sequence[Need], console: Console, *, as_json: bool) -> None:
    """Print what a run would do; `todo` names the items, such as "problems to solve"."""
    if as_json:
        print(json.dumps({"run": run, "items": items, "needs": [asdict(need) for need in needs]}))  # noqa: T201
        return
    console.print(f"run {run}: {items:,} {todo}")
    console.print(needs_table(needs))


def print_end(
    outcome: str,
    state: FeedState,
    lines: Iterable[str],
    numbers: Mapping[str, object],
    console: Console,
    *,
    as_json: bool,
) -> None:
    """Print the report's lines for a person, or its numbers as JSON."""
    if as_json:
        print(json.dumps({"outcome": outcome, "parked": len(state.parked), "left": state.left, **numbers}))  # noqa: T201
        return
    for line in lines:
        console.print(as_text(line), soft_wrap=True)
    if state.left or state.parked:
        console.print(f"{len(state.parked):,} parked, {state.left:,} not ended: run the same command again")
