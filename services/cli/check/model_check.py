"""`chimera check models`: try every role out, and say what came of it as a table, or as JSON."""

import asyncio
import json
import logging
from dataclasses import asdict
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.config.models_config import ModelsConfig
from services.cli.check.model_probe import ProbeResult, probe_models
from services.cli.common.models_config import dependence
from services.cli.common.sanitize_terminal import as_text, strip_controls

T = TypeVar("T")

COLUMNS = (
    *("role", "endpoint", "model", "works", "first token", "whole", "tokens/s"),
    *("thinking", "structured", "finish", "price"),
)
_NUMBERS = frozenset(("first token", "whole", "tokens/s"))
_LONG = ("endpoint", "model")
WIDTH = 120
"""Of what is not read in a terminal."""


def check(cast: ModelsConfig, timeout_s: float, *, as_json: bool) -> bool:
    """Try all roles and print; whether all work."""
    logging.getLogger("shared.llm").setLevel(logging.CRITICAL)  # it is said here
    progress = Console(stderr=True, highlight=False)
    playing = cast.assigned()
    _line(progress, f"asking {len(playing)} roles, up to {timeout_s:g} s an answer; these are real calls")

    def told(tried: ProbeResult) -> None:
        took = "" if tried.latency_s is None else f" after {tried.latency_s:.1f} s"
        _line(progress, f"  {tried.role}: {f'works{took}' if tried.works else 'does not work'}")

    found = asyncio.run(probe_models(cast, timeout_s, told))
    if as_json:
        print(json.dumps(document(cast, found)))  # noqa: T201
    else:
        console = Console(highlight=False)
        console.width = console.width if console.is_terminal else WIDTH
        console.print(table(found))
        for line, style in describe(cast, found):
            console.print(Text(strip_controls(line), style), soft_wrap=True)
    return all(tried.works for tried in found)


def document(cast: ModelsConfig, found: list[ProbeResult]) -> dict[str, Any]:
    """For `--json`."""
    return {
        "ok": all(tried.works for tried in found),
        "roles": [
            {
                **asdict(tried),
                "works": tried.works,
                "faults": [fault._asdict() for fault in tried.faults],
            }
            for tried in found
        ],
        "dependence": dependence(cast),
        "tokens": _total([tried.tokens for tried in found]),
        "cost": _total([tried.cost for tried in found]),
    }


def table(found: list[ProbeResult]) -> Table:
    """A line per role."""
    lines = Table(box=None, pad_edge=False, header_style="dim")
    for name in COLUMNS:
        lines.add_column(
            name, justify="right" if name in _NUMBERS else "left", no_wrap=name not in _LONG, overflow="fold"
        )
    for tried in found:
        lines.add_row(*_row(tried))
    return lines


def _row(tried: ProbeResult) -> list[Text]:
    return [
        as_text(tried.role),
        as_text(tried.endpoint),
        as_text(tried.model),
        Text("yes", "green") if tried.works else Text("no", "bold red"),
        Text("" if tried.first_token_s is None else f"{tried.first_token_s:.2f} s"),
        Text("" if tried.latency_s is None else f"{tried.latency_s:.2f} s"),
        Text("" if tried.tokens_per_s is None else f"{tried.tokens_per_s:.0f}"),
        Text(tried.thinking or ("none" if tried.calls else "")),
        Text(tried.structured or "", "yellow" if tried.structured == "fails" else ""),
        as_text(tried.finish_reason or ""),
        Text("known" if tried.price_known else "unknown"),
    ]


def describe(cast: ModelsConfig, found: list[ProbeResult]) -> list[tuple[str, str]]:
    """What is wrong and what to do, what could be better, and what it took; as lines with their style."""
    faults = _by_role([(tried.role, fault) for tried in found for fault in tried.faults])
    notes = _by_role([(tried.role, note) for tried in found for note in tried.notes])
    lines = []
    for fault, roles in faults.items():
        lines += [(f"problem  {roles}: {fault.what}", "red"), (f"         next step: {fault.next_step}", "")]
    lines += [(f"note     {roles}: {note}", "yellow") for note, roles in notes.items()]
    lines += [(f"note     {line}", "yellow") for line in dependence(cast)]
    if cast.simulated:
        lines += [("note     SIMULATED models: nothing made with them is for training", "yellow")]
    working = f"{sum(tried.works for tried in found)} of {len(found)} roles work"
    return [*lines, (f"{working} · {_spent(found)}" if any(tried.calls for tried in found) else working, "")]


def _by_role(told: list[tuple[str, T]]) -> dict[T, str]:
    """The roles of which the same is to be said."""
    roles: dict[T, list[str]] = {}
    for role, what in told:
        roles.setdefault(what, []).append(role)
    return {what: ", ".join(names) for what, names in roles.items()}


def _spent(found: list[ProbeResult]) -> str:
    tokens, cost = _total([tried.tokens for tried in found]), _total([tried.cost for tried in found])
    counted = "tokens not counted" if tokens is None else f"{tokens:,} tokens"
    return f"{counted}, {'cost unknown' if cost is None else f'{cost:.4f} dollars'}"


def _total(parts: list[Any]) -> Any:
    return None if None in parts else sum(parts)


def _line(console: Console, text: str) -> None:
    console.print(Text(strip_controls(text), "dim"), soft_wrap=True)
