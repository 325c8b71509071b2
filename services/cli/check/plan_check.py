"""`chimera check plan`: estimates what a plan will need."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from schemas.config.plan import Plan
from schemas.spend import amount, sum_or_none
from services.cli.check.forecast import Forecast, Need, assumed, forecast
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config
from services.cli.common.dataset_location import DatasetSummary
from services.cli.common.run_config import RunConfig
from services.cli.run.summary import duration, short
from shared.stats.item_belief import DEFAULTS
from shared.stats.view_thresholds import view_targets, view_thresholds
from shared.text.controls import strip_controls


def check(config: RunConfig, *, as_json: bool) -> None:
    """Print the estimate. Raises Refusal for models that do not fit the plan."""
    if config.models:
        models_config.check_fit(config.plan, config.models)
    estimate = forecast_plan(config)
    if as_json:
        print(json.dumps(document(config.plan, estimate) | {"folder": str(config.directory)}))  # noqa: T201
        return
    console = Console(highlight=False)
    for line in describe(config.plan, estimate, config.directory, has_adjudicator=has_adjudicator(config)):
        console.print(line)


def forecast_plan(config: RunConfig) -> Forecast:
    """Estimate from what was measured in the folder, otherwise from assumptions."""
    dataset = DatasetSummary.of(config.dataset)
    basis = measured_costs(config.dataset, config.plan, simulated=config.simulated)
    rows = Counter(dataset.by_subject)
    if not config.plan.limits():  # under limits by difficulty a row in reserve may never be admitted
        rows.update(dataset.reserve)
    return forecast(config.plan, rows, basis or assumed(config.plan), config.models or models_config.simulated(0))


def document(plan: Plan, estimate: Forecast) -> dict[str, object]:
    """Return the document for `--json`."""
    return {
        "plan": plan.name,
        "wanted": None if plan.endless else plan.rows,
        "measured_on": estimate.basis.problems,
        "yield": estimate.basis.rows,
        "thresholds": view_thresholds(plan.verification, DEFAULTS),
        **{name: value for name, value in asdict(estimate).items() if name != "basis"},
    }


def has_adjudicator(config: RunConfig) -> bool:
    """Whether a model has the role; in a simulated run one has."""
    return config.models is None or "adjudicator" in config.models.assigned()


def describe(plan: Plan, estimate: Forecast, folder: Path, *, has_adjudicator: bool = True) -> list[str | Table]:
    """Return the lines for a person. `folder` is the one whose problems may have been measured."""
    topics = sum(subject.topics for subject in plan.subjects.values())
    target = "rows for ever" if plan.endless else f"{plan.rows:,} rows"
    lines: list[str | Table] = [f"Plan {plan.name} is sound: {target}, {len(plan.subjects)} subjects, {topics} topics"]
    lines += _thresholds(plan)
    if plan.verification.adjudications and not has_adjudicator:
        lines.append("No model has the role adjudicator: nothing is adjudicated")
    if not estimate.rows:
        return [*lines, "The dataset has all its rows: nothing more will be requested."]
    what = "for each release" if plan.endless else "missing"
    lines.append(
        f"{estimate.rows:,} rows {what}: about {estimate.problems:,} problems at a yield of {estimate.basis.rows:.0%}"
    )
    return [
        *lines,
        needs_table(estimate.needs),
        *_over_budget(plan, estimate),
        *_time_and_basis(plan, estimate, folder),
    ]


def _over_budget(plan: Plan, estimate: Forecast) -> list[str]:
    """What the estimate needs beyond the limits on the sum of all models."""
    budget, over = plan.budget, []
    if budget.tokens and estimate.tokens and estimate.tokens > budget.tokens:
        over.append(f"{_tokens(estimate.tokens)} of {_tokens(budget.tokens)} tokens")
    if budget.dollars and estimate.dollars and estimate.dollars > budget.dollars:
        over.append(f"{_dollars(estimate.dollars)} of {_dollars(budget.dollars)}")
    return [f"budget    may not suffice: {', '.join(over)}"] if over else []


def _thresholds(plan: Plan) -> list[str]:
    """What the targets for wrong keys ask of a row, with the default parameters of belief."""
    thresholds = view_thresholds(plan.verification, DEFAULTS)
    return [
        f"View {view}: at most {target:.1%} wrong keys expected, {_requirement(thresholds[view])}"
        for view, target in view_targets(plan.verification).items()
    ]


def _requirement(threshold: float | None) -> str:
    if threshold is None:
        return "target cannot be met: raise it, or max_votes"
    return f"rows need a belief of {threshold:.3f}"


def needs_table(needs: Sequence[Need]) -> Table:
    """Return calls, tokens and cost by role, and their sums."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("role", "model", "calls", "tokens", "cost"):
        table.add_column(name, justify="left" if name in ("role", "model") else "right")
    for need in needs:
        row = (
            need.role,
            strip_controls(need.model or "?"),
            f"{need.calls:,}",
            _tokens(need.tokens),
            _dollars(need.dollars),
        )
        table.add_row(*row)
    table.add_section()
    tokens, dollars = sum_or_none(need.tokens for need in needs), sum_or_none(need.dollars for need in needs)
    table.add_row("all", "", f"{sum(need.calls for need in needs):,}", _tokens(tokens), _dollars(dollars))
    return table


def _time_and_basis(plan: Plan, estimate: Forecast, folder: Path) -> list[str]:
    n = estimate.basis.problems
    basis = (
        f"measured on {n:,} problems in {folder}" if n else f"ASSUMED: too few problems have been measured in {folder}"
    )
    drops_easy = plan.solving.max_base_pass < 1 or plan.limits()
    default_yield = drops_easy and not n and "yield_assumed" not in plan.model_fields_set
    too_high = "yield     too high where easy problems do not count: set yield_assumed"
    time = "unknown until latency is measured" if estimate.seconds is None else f"at least {duration(estimate.seconds)}"
    return [f"time      {time}", f"basis     {basis}", *([too_high] if default_yield else [])]


def _tokens(number: float | None) -> str:
    return "unknown" if number is None else short(round(number))


def _dollars(dollars: float | None) -> str:
    return "unknown" if dollars is None else amount(dollars, "dollars")
