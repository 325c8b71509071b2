"""A run of the previous version that was killed is finished by today's version."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.compatibility import names
from tests.compatibility.recordings import FACTORY, FOLDER, SEED, load_json, unpack

PLAN = FOLDER / "plan.factory.yaml"
MOST_UNFINISHED = 64
"""Calls of the killed run that may belong to events that had not ended: more than it ever had in flight."""


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
    check_repeated_calls(remains.calls, before=len(calls_before.splitlines()))
    check_waiting_verdicts_are_in_a_decision(remains)
    assert len(remains.events["plan.adopted"]) == 1, "the planner lost its state"
    releases = Counter(event.release for event in remains.events["dataset.released"])
    assert set(releases.values()) == {1}, "the aggregator lost its progress"
    recorded = {name: text.encode() for name, text in load_json("factory")["incarnations"].items()}
    assert {name: text for name, text in topic_ids.items() if name in recorded} == recorded


CHANGED = ("draft", "judgement", "grade", "same")
"""Tasks whose prompts this version changed: an event that had not ended when the run was killed calls again."""


def check_repeated_calls(calls: list[dict[str, Any]], before: int) -> None:
    """No request is sent twice; a task is, in other words, once by this version, where its prompt changed."""
    requests = Counter(call["request"] for call in calls)
    assert [request for request, count in requests.items() if count > 1] == []
    earlier, later = calls[:before], calls[before:]
    for part in (earlier, later):
        assert [task for task, count in Counter(map(task_of, part)).items() if count > 1] == []
    repeated = set(map(task_of, earlier)) & set(map(task_of, later))
    assert {task for _, task, _, _ in repeated} <= set(CHANGED)
    last = [task_of(call) for call in earlier[-MOST_UNFINISHED:]]
    assert repeated <= set(last), "an event that had ended was repeated"


def task_of(call: dict[str, Any]) -> tuple[Any, ...]:
    return call["model"], call["task"], call["problem"], call["seed"]


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
