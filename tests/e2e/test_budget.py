"""A budget for half of the rows: planning stops, everything drains, and a raised budget resumes from there."""

import json
from pathlib import Path
from typing import Any

import yaml

from services.cli.common.options import plan_file
from shared.kafka.codec import AUDIT_HEADER
from tests.e2e.factory import chimera, remains

ROWS = 24
HALF, ENOUGH = 70_000, 1_000_000
LONGEST = 10_000
"""Most that the calls under way at the limit may cost more than they were taken for."""


def grown(directory: Path, plan: dict[str, Any], tokens: int) -> tuple[int, Any]:
    file = directory.parent / "plan.yaml"
    file.write_text(yaml.safe_dump({**plan, "rows": ROWS, "budget": {"tokens": tokens}}))
    with chimera(directory, "--plan", str(file)) as process:
        out, progress = process.communicate(timeout=240)
    assert out, progress
    return process.returncode, json.loads(out)


async def test_a_run_stops_at_its_budget_and_resumes_when_it_is_raised(tmp_path: Path) -> None:
    # few in progress, so that some are rows before the budget is spent, however slow a step is
    directory, plan = tmp_path / "stack", {**yaml.safe_load(plan_file(None).read_text()), "in_progress": 6}
    status, short = grown(directory, plan, HALF)
    assert (status, short["outcome"]) == (1, "short"), short
    assert short["reason"].startswith("budget reached: ")
    assert short["next_step"] == "Raise the budget in the plan and run again"
    (account,) = short["budget"]
    assert HALF / 2 < account["spent"] < HALF + LONGEST
    assert 0 < short["rows"] < ROWS
    assert short["in_flight"] == 0
    found = await remains(directory)
    assert not any(found.lag.values()), "something is left to do"
    assert {event.error for event in found.events["problem.parked"]} <= {"OverBudget"}
    problems = {letter.key for letter in found.dead if AUDIT_HEADER not in dict(letter.headers)}
    assert len(problems) == short["ends"]["parked"]
    assert [event.limit for event in found.events["budget.reached"]] == [HALF]

    status, done = grown(directory, plan, ENOUGH)
    assert (status, done["outcome"], done["rows"]) == (0, "done", ROWS), done
    assert done["budget"][0]["spent"] > account["spent"]
