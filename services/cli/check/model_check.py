"""`chimera check models`: tries every role, and prints the results as a table, or as JSON."""

import asyncio
import json
import logging
from dataclasses import asdict
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.config.models_config import ModelsConfig
from schemas.item import weights_name
from schemas.spend import sum_or_none
from services.cli.check.model_probe import ProbeResult, probe_models
from services.cli.common.models_config import dependence
from services.cli.common.sanitize_terminal import as_text
from shared.text.controls import strip_controls

T = TypeVar("T")

COLUMNS = (
    *("role", "endpoint", "model", "works", "first token", "whole", "tokens/s"),
    *("thinking", "structured", "finish", "price"),
)
_NUMBERS = frozenset(("first token", "whole", "tokens/s"))
_LONG = ("endpoint", "model")
WIDTH = 120
"""Columns of output that is not read in a terminal."""


def check(models: ModelsConfig, timeout_s: float, *, as_json: bool) -> bool:
    """Try all roles and print the results; return whether all work."""
    logging.getLogger("shared.llm").setLevel(logging.CRITICAL)  # the results report the errors
    progress = Console(stderr=True, highlight=False)
    _line(progress, f"checking {len(models.assigned())} roles, up to {timeout_s:g} s per answer; these are real calls")

    def report(result: ProbeResult) -> None:
        took = "" if result.latency_s is None else f" after {result.latency_s:.1f} s"
        _line(progress, f"  {result.role}: {f'works{took}' if result.works else 'does not work'}")

    results = asyncio.run(probe_models(models, timeout_s, report))
    if as_json:
        print(json.dumps(document(models, results)))  # noqa: T201
    else:
        console = Console(highlight=False)
        console.width = console.width if console.is_terminal else WIDTH
        console.print(table(results))
        for line, style in describe(models, results):
            console.print(Text(strip_controls(line), style), soft_wrap=True)
    return all(result.works for result in results)


def document(models: ModelsConfig, results: list[ProbeResult]) -> dict[str, Any]:
    """Return the document for `--json`."""
    return {
        "ok": all(result.works for result in results),
        "roles": [
            {
                **asdict(result),
                "works": result.works,
                "faults": [fault._asdict() for fault in result.faults],
            }
            for result in results
        ],
        "dependence": dependence(models),
        "tokens": sum_or_none(result.tokens for result in results),
        "cost": sum_or_none(result.cost for result in results),
    }


def table(results: list[ProbeResult]) -> Table:
    """Return a table with a line per role."""
    lines = Table(box=None, pad_edge=False, header_style="dim")
    for name in COLUMNS:
        lines.add_column(
            name, justify="right" if name in _NUMBERS else "left", no_wrap=name not in _LONG, overflow="fold"
        )
    for result in results:
        lines.add_row(*_row(result))
    return lines


def _row(result: ProbeResult) -> list[Text]:
    return [
        as_text(result.role),
        as_text(result.endpoint),
        as_text(result.model),
        Text("yes", "green") if result.works else Text("no", "bold red"),
        Text("" if result.first_token_s is None else f"{result.first_token_s:.2f} s"),
        Text("" if result.latency_s is None else f"{result.latency_s:.2f} s"),
        Text("" if result.tokens_per_s is None else f"{result.tokens_per_s:.0f}"),
        Text(result.thinking or ("none" if result.calls else "")),
        Text(result.structured or "", "yellow" if result.structured == "fails" else ""),
        as_text(result.finish_reason or ""),
        Text("known" if result.price_known else "unknown"),
    ]


def describe(models: ModelsConfig, results: list[ProbeResult]) -> list[tuple[str, str]]:
    """Return problems with their next steps, notes, and the spending, as lines with their style."""
    faults = _by_role([(result.role, fault) for result in results for fault in result.faults])
    notes = _by_role([(result.role, note) for result in results for note in result.notes])
    lines = []
    for fault, roles in faults.items():
        lines += [(f"problem  {roles}: {fault.what}", "red"), (f"         next step: {fault.next_step}", "")]
    lines += [(f"note     {roles}: {note}", "yellow") for note, roles in notes.items()]
    lines += [(f"note     {line}", "yellow") for line in (*dependence(models), *_same_weights(results))]
    if models.simulated:
        lines += [("note     SIMULATED models: do not train on their output", "yellow")]
    working = f"{sum(result.works for result in results)} of {len(results)} roles work"
    return [*lines, (f"{working} · {_spent(results)}" if any(result.calls for result in results) else working, "")]


def _same_weights(results: list[ProbeResult]) -> list[str]:
    """Return a line for each model behind several names."""
    names: dict[str, dict[str, str]] = {}
    for result in results:
        if result.weights and result.role != "base":
            names.setdefault(weights_name(result.endpoint, result.weights), {})[result.role] = result.model
    why = "its verdicts on its own work are worth less, and rows say independent: false"
    return [
        f"{' and '.join(roles)} are one model, {weights}: {why}."
        for weights, roles in names.items()
        if len(set(roles.values())) > 1
    ]


def _by_role(pairs: list[tuple[str, T]]) -> dict[T, str]:
    """Return the roles of each fault or note."""
    roles: dict[T, list[str]] = {}
    for role, what in pairs:
        roles.setdefault(what, []).append(role)
    return {what: ", ".join(names) for what, names in roles.items()}


def _spent(results: list[ProbeResult]) -> str:
    tokens, cost = sum_or_none(result.tokens for result in results), sum_or_none(result.cost for result in results)
    counted = "tokens not counted" if tokens is None else f"{tokens:,} tokens"
    return f"{counted}, {'cost unknown' if cost is None else f'{cost:.4f} dollars'}"


def _line(console: Console, text: str) -> None:
    console.print(Text(strip_controls(text), "dim"), soft_wrap=True)
