"""What a plan will need: the arithmetic by hand, the mistakes by line, and what a folder has measured."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.config.models_config import Endpoint, ModelsConfig, Price, RoleModel
from schemas.config.plan import Plan, Subject
from services.cli.__main__ import app
from services.cli.check.forecast import Basis, CallProfile, assumed, forecast

RUNNER = CliRunner()
PLAN = Plan(name="p", rows=12, subjects={"physics": Subject(topics=3)}, in_progress=4)
CAST = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:1/v1"), "m")


def test_what_is_needed_agrees_with_a_sum_by_hand() -> None:
    """12 rows of which 2 are there: 10 lack, at a yield of one half 20 problems."""
    paces = {
        "writer": CallProfile(1.0, 100, 900, 2.0),
        "verifier_a": CallProfile(2.0, 100, 400, 3.0),
        "verifier_b": CallProfile(1.0, 100, 400, 10.0),
        "solver": CallProfile(0.6, 100, 1900, 20.0),
    }
    priced = RoleModel(model="m", price=Price(input=1, output=10))
    cast = CAST.model_copy(update={"roles": CAST.roles.model_copy(update={"writer": priced})})
    found = forecast(PLAN, {"physics": 2}, Basis(0.5, paces, problems=40), cast)
    assert (found.rows, found.problems) == (10, 20)
    assert [(need.role, need.calls, need.tokens) for need in found.needs] == [
        ("writer", 20, 20_000),
        ("verifier_a", 40, 20_000),
        ("verifier_b", 20, 10_000),
        ("solver", 12, 24_000),
    ]
    assert (found.calls, found.tokens) == (92, 74_000)
    assert found.needs[0].dollars == pytest.approx(20 * (100 * 1 + 900 * 10) / 1e6)
    assert found.dollars is None, "what the others cost is unknown, which is not 0"
    assert found.seconds == (2 + max(6, 10) + 12) * 20 / 4


def test_a_full_plan_needs_nothing_and_an_endless_one_is_costed_by_release() -> None:
    assert forecast(PLAN, {"physics": 13}, assumed(PLAN), CAST).calls == 0
    endless = Plan.model_validate({**PLAN.model_dump(), "rows": "forever", "releases": {"every_rows": 50}})
    assert forecast(endless, {"physics": 13}, assumed(endless), CAST).rows == 50


def test_errors_are_reported_with_their_lines_before_anything_is_reckoned(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("name: mine\nrows: 3\nsubjects:\n  physisc: {}\n")
    result = RUNNER.invoke(app, ["check", "plan", str(tmp_path / "plan.yaml"), "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "plan.yaml:4: subjects.physisc: unknown subject; did you mean physics?" in result.output


@pytest.mark.parametrize(("tokens", "warned"), [(1_000, True), (10**12, False)])
def test_a_budget_below_the_estimate_is_reported(tmp_path: Path, tokens: int, warned: bool) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"name: mine\nrows: 3\nsubjects: {{physics: {{}}}}\nbudget: {{tokens: {tokens}}}\n")
    result = RUNNER.invoke(app, ["check", "plan", str(plan), "--dir", str(tmp_path)])
    assert result.exit_code == 0
    assert ("budget    may not suffice" in result.output) is warned


def test_it_says_what_is_assumed_and_answers_in_json(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["check", "plan", "chimera", "--dir", str(tmp_path), "--json"])
    found = json.loads(result.stdout)
    assert (found["rows"], found["measured_on"], found["dollars"]) == (9225, None, None)
    assert found["calls"] == sum(need["calls"] for need in found["needs"])
    reported = RUNNER.invoke(app, ["check", "plan", "demo", "--dir", str(tmp_path)]).output
    assert "ASSUMED" in reported


@pytest.mark.parametrize(
    ("section", "warned"),
    [
        ("solving: {probe_attempts: 4, max_base_pass: 0.5}", True),
        ("solving: {probe_attempts: 4}\ndifficulty: {at_most: {easy: 0}}", True),
        ("solving: {probe_attempts: 4}", False),
        ("solving: {probe_attempts: 4, max_base_pass: 0.5}\nyield_assumed: 0.2", False),
    ],
)
def test_a_forecast_for_hard_problems_doubts_the_default_yield(tmp_path: Path, section: str, warned: bool) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"name: mine\nrows: 3\nsubjects: {{physics: {{}}}}\n{section}\n")
    result = RUNNER.invoke(app, ["check", "plan", str(plan), "--dir", str(tmp_path)])
    assert ("set yield_assumed" in result.output) is warned
