"""A folder that the version before left when it was killed is carried to its end by the version of today."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.compatibility import names
from tests.compatibility.recordings import FACTORY, FOLDER, SEED, recorded, unpacked

PLAN = FOLDER / "plan.factory.yaml"


async def test_a_killed_run_resumes_and_loses_no_verdict_and_pays_no_call_again(tmp_path: Path) -> None:
    before, calls = unpacked("factory", tmp_path) / "stack", tmp_path / "calls.jsonl"
    answered = calls.read_text()
    with names.chimera(before, "--plan", str(PLAN), "--seed", str(SEED)) as process:
        out, progress = process.communicate(timeout=120)
    assert process.returncode == 0, out + progress
    async with names.Stack(before) as stack:
        await stack.start_infrastructure()
        async with names.KafkaWorld(stack.bootstrap, stack.valkey_url, FACTORY, before) as world:
            found = await names.read(world, before / "dataset", calls)
            incarnations = {one.key.decode(): one.value.decode() for one in await world.records("incarnations")}
    names.checks.check_everything(found, names.load_plan(PLAN), SEED)
    assert calls.read_text().startswith(answered)
    assert len(found.calls) > len(answered.splitlines())
    assert paid_again(found.calls) == []
    check_waiting_verdicts_were_counted(found)
    assert len(found.events["plan.adopted"]) == 1, "the planner did not know its plan"
    assert Counter(event.release for event in found.events["dataset.released"]).most_common(1)[0][1] == 1
    assert incarnations == recorded("factory")["incarnations"]


def paid_again(calls: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Calls that were answered twice: the same request, or the same question and seed in other words."""
    asked = Counter((call["model"], call["task"], call["problem"], call["seed"]) for call in calls)
    requests = Counter(call["request"] for call in calls)
    return [call for counter in (asked, requests) for call, number in counter.items() if number > 1]


def check_waiting_verdicts_were_counted(found: Any) -> None:
    """Every verdict that waited at the panel is one of two in one decision."""
    cases = recorded("factory")["panel-cases-changelog"]
    names_ = ("problem.accepted", "problem.rejected", "audit.judged")
    decided = {event.item.id: event.item for name in names_ for event in found.events[name] if event.item.verdicts}
    waiting = recorded("factory")["waiting"]
    assert waiting
    for problem in waiting:
        (heard,) = json.loads(cases[problem])["heard"]
        verdicts = [verdict.model_dump(mode="json") for verdict in decided[UUID(problem)].verdicts]
        assert len(verdicts) == 2
        assert heard["verdict"] in verdicts
