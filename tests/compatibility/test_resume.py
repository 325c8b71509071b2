"""A run of the previous version that was killed is finished by today's version."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.compatibility import names
from tests.compatibility.recordings import FACTORY, FOLDER, SEED, load_json, unpack

PLAN = FOLDER / "plan.factory.yaml"


async def test_a_killed_run_resumes_keeps_each_verdict_and_repeats_no_call(tmp_path: Path) -> None:
    stack_folder, call_log = unpack("factory", tmp_path) / "stack", tmp_path / "calls.jsonl"
    calls_before = call_log.read_text()
    with names.chimera(stack_folder, "--plan", str(PLAN), "--seed", str(SEED)) as process:
        out, progress = process.communicate(timeout=240)
    assert process.returncode == 0, out + progress
    async with names.Stack(stack_folder) as stack:
        await stack.start_infrastructure()
        async with names.KafkaWorld(stack.bootstrap, stack.valkey_url, FACTORY, stack_folder) as world:
            remains = await names.read(world, stack_folder / "dataset", call_log)
            topic_ids = {(record.key or b"").decode(): record.value for record in await world.records("incarnations")}
    names.checks.check_everything(remains, names.load_plan(PLAN), SEED)
    assert call_log.read_text().startswith(calls_before)
    assert len(remains.calls) > len(calls_before.splitlines())
    assert repeated_calls(remains.calls) == []
    check_waiting_verdicts_are_in_a_decision(remains)
    assert len(remains.events["plan.adopted"]) == 1, "the planner lost its state"
    releases = Counter(event.release for event in remains.events["dataset.released"])
    assert set(releases.values()) == {1}, "the aggregator lost its progress"
    assert topic_ids == {name: text.encode() for name, text in load_json("factory")["incarnations"].items()}


def repeated_calls(calls: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Calls with two answers: an identical request, or the same task, problem and seed in other words."""
    requests = Counter((call["request"],) for call in calls)
    tasks = Counter((call["model"], call["task"], call["problem"], call["seed"]) for call in calls)
    return [call for counter in (requests, tasks) for call, count in counter.items() if count > 1]


def check_waiting_verdicts_are_in_a_decision(remains: names.Remains) -> None:
    """Every verdict that waited at the panel is one of the two verdicts of a decision."""
    recorded = load_json("factory")
    decisions = [event for name in ("accepted", "rejected") for event in remains.events[f"problem.{name}"]]
    items = {event.item.id: event.item for event in (*decisions, *remains.events["audit.judged"])}
    assert recorded["waiting"]
    for problem in recorded["waiting"]:
        (received,) = json.loads(recorded["panel-cases-changelog"][problem])["heard"]
        verdicts = [verdict.model_dump(mode="json") for verdict in items[UUID(problem)].verdicts]
        assert len(verdicts) == 2
        assert received["verdict"] in verdicts
