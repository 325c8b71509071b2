"""`chimera check plan`: what a plan will need, before money is spent."""

import json
from collections import Counter
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from schemas.config.plan import Plan
from schemas.spend import amount
from services.cli.check.forecast import Forecast, assumed, forecast
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config
from services.cli.common.dataset_location import DatasetSummary
from services.cli.common.run_config import RunConfig
from services.cli.common.sanitize_terminal import strip_controls
from services.cli.run.summary import duration, short


def check(order: RunConfig, *, as_json: bool) -> None:
    """Print it."""
    found = forecast_plan(order)
    if as_json:
        print(json.dumps(document(order.plan, found)))  # noqa: T201
        return
    console = Console(highlight=False)
    for line in describe(order.plan, found):
        console.print(line)


def forecast_plan(order: RunConfig) -> Forecast:
    """From what the folder has measured, or else from what is assumed."""
    cast = order.cast or models_config.simulated(0)
    product = DatasetSummary.of(order.dataset)
    basis = measured_costs(order.dataset, order.plan, simulated=order.simulated)
    rows = Counter(product.by_subject)
    if not order.plan.limits():  # under limits by difficulty a row in reserve may wait for ever
        rows.update(product.reserve)
    return forecast(order.plan, rows, basis or assumed(order.plan), cast)


def document(plan: Plan, found: Forecast) -> dict[str, object]:
    """For `--json`."""
    return {
        "plan": plan.name,
        "wanted": None if plan.endless else plan.rows,
        "measured_on": found.basis.problems,
        "yield": found.basis.rows,
        **{name: value for name, value in asdict(found).items() if name != "basis"},
    }


def describe(plan: Plan, found: Forecast) -> list[str | Table]:
    """For a person."""
    topics = sum(subject.topics for subject in plan.subjects.values())
    wanted = "rows for ever" if plan.endless else f"{plan.rows:,} rows"
    lines: list[str | Table] = [f"Plan {plan.name} is sound: {wanted}, {len(plan.subjects)} subjects, {topics} topics"]
    if not found.rows:
        return [*lines, "Its rows are there: nothing further will be asked for."]
    what = "for each release" if plan.endless else "to come"
    lines.append(f"{found.rows:,} rows {what}: about {found.problems:,} problems, at a yield of {found.basis.rows:.0%}")
    return [*lines, _table(found), *_ends(found)]


def _table(found: Forecast) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("role", "model", "calls", "tokens", "cost"):
        table.add_column(name, justify="left" if name in ("role", "model") else "right")
    for need in found.needs:
        row = (
            need.role,
            strip_controls(need.model or "?"),
            f"{need.calls:,}",
            _tokens(need.tokens),
            _dollars(need.dollars),
        )
        table.add_row(*row)
    table.add_section()
    table.add_row("all", "", f"{found.calls:,}", _tokens(found.tokens), _dollars(found.dollars))
    return table


def _ends(found: Forecast) -> list[str]:
    n = found.basis.problems
    basis = (
        f"measured on {n:,} problems in this folder" if n else "ASSUMED: too little has been measured in this folder"
    )
    time = "unknown until latency is measured" if found.seconds is None else f"at least {duration(found.seconds)}"
    return [f"time      {time}", f"basis     {basis}"]


def _tokens(number: float | None) -> str:
    return "unknown" if number is None else short(round(number))


def _dollars(dollars: float | None) -> str:
    return "unknown" if dollars is None else amount(dollars, "dollars")
