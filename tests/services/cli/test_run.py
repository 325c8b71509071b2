"""`chimera run` without a stack: counts add up, the view draws, the run ends, errors name their line."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from rich.console import Console
from typer.testing import CliRunner

from deploy.local.events import StackEvent
from schemas.audit_tag import AuditTag
from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.config.plan import FOREVER, Plan, Subject
from schemas.config.policies import Budget
from schemas.events import (
    BudgetReached,
    DatasetReleased,
    Event,
    ItemEvent,
    ProblemAccepted,
    ProblemParked,
    ProblemRejected,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
    SampleCurated,
    SampleDeleted,
    SubjectRequested,
    TopicExpanded,
)
from schemas.item import ImportSource, Step, Topic, Verdict
from services.cli.__main__ import app
from services.cli.common import process_metrics
from services.cli.common.budget_status import BudgetLine
from services.cli.common.process_metrics import ProcessMetrics
from services.cli.common.run_config import RunConfig
from services.cli.run import blockers
from services.cli.run.blockers import lost_subjects
from services.cli.run.closed_topics import ClosedTopic, read
from services.cli.run.closed_topics import describe as topics
from services.cli.run.command import already, verdict
from services.cli.run.completion import QUIET_S, TOPICS_S, Completion, evaluate
from services.cli.run.live_view import LiveView, Rate, footer, growth, problems
from services.cli.run.local_factory import LocalFactory
from services.cli.run.summary import Summary, clock, duration, short
from services.planner.state import State, SubjectState, TopicState
from shared.dataset.reports.funnel import Funnel
from shared.errors import Invalid, Refusal, Transient
from shared.kafka.codec import encode
from shared.kafka.dlq.replay import DeadLetter
from shared.runtime.flood_guard import FloodGuard
from shared.runtime.machine import Snapshot
from shared.telemetry.metrics import PAUSED
from tests.support.items import judged

PLAN = Plan(name="test", rows=3, subjects={"mathematics": Subject(weight=2), "physics": Subject()})
NASTY = "[bold red]markup[/] \x1b[2J\x07 and\nlines [/nope] " + "long " * 60


def life(end: str, subject: str = "physics", number: int = 0) -> list[Event]:
    """All events of a problem that ends so."""
    topic = Topic(subject=subject, field="f", subfield="s", name="t")
    request = ProblemRequested.root(uuid4(), "planner", number, plan="test", topic=topic, answer_type="number")
    screened = ProblemScreened.of(request, "screening", request.item)
    events: list[Event] = [request]
    if end == "rejected":
        return [*events, ProblemRejected.of(request, "screening", request.item, reason="repeat", detail=NASTY)]
    if end == "parked":
        parked = ProblemParked.after(request, "panel", problem_id=request.id, service="panel", error="E", message="m")
        return [*events, screened, parked]
    verdicts = [Verdict(role=role, model="m", problem_hash="h") for role in ("verifier-a", "verifier-b")]
    events += [screened, *(ProblemVerified.of(screened, v.role, request.item, verdict=v) for v in verdicts)]
    events.append(ProblemAccepted.of(screened, "panel", request.item))
    reply = ("reserve", "in") if end == "promoted" else ("in",) if end == "deleted" else (end,) if end else ()
    for index, admission in enumerate(reply):
        row = {"plan": "test", "subject": subject, "topic": "t", "tier": "verified", "correct": True, "views": ()}
        fields = {**row, "sample_id": request.id, "admission": admission, "row_hash": ""}
        events.append(SampleCurated.after(screened, "aggregator", index, **fields))
    if end == "deleted":
        gone = {"sample_id": request.id, "subject": subject, "admission": "in", "decision": "", "row_hash": ""}
        events.append(SampleDeleted.after(request, "cli", 0, **gone))
    return events


def fold(events: list[Event]) -> Funnel:
    funnel = Funnel()
    for event in events:
        funnel.add(event)
    return funnel


def release(rows: int) -> DatasetReleased:
    return DatasetReleased.root(uuid4(), "aggregator", plan="test", release=rows, table_version=1, rows=rows)


def full() -> list[Event]:
    return [*life("in", "mathematics"), *life("in", "mathematics"), *life("in"), *life("reserve"), *life("rejected")]


def summed(funnel: Funnel, outcome: Completion | Refusal | Refusal | None) -> Summary:
    known = {"wanted": 3, "rows": funnel.rows.total(), "tokens": 412_345, "simulated": True}
    return Summary.of(funnel, verdict(outcome), seconds=22.04, dataset=".chimera/dataset", **known)  # type: ignore[arg-type]


ENDINGS = ("in", "reserve", "promoted", "aside", "rejected", "parked", "deleted", "")


@given(ends=st.lists(st.sampled_from(ENDINGS), max_size=12), repeats=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_the_funnel_adds_up_in_any_order_and_with_any_repeats(ends: list[str], repeats: int, seed: int) -> None:
    dice = random.Random(seed)
    events = [event for number, end in enumerate(ends) for event in life(end, number=number)]
    events += dice.choices(events, k=repeats) if events else []
    dice.shuffle(events)
    funnel = fold(events)
    wanted = ["in" if end == "promoted" else end for end in ends if end]
    assert {end: count for end, count in funnel.ends.items() if count} == {
        end: wanted.count(end) for end in set(wanted)
    }
    assert funnel.in_flight == ends.count("")
    assert funnel.requested == len(ends) == funnel.ends.total() + funnel.in_flight
    assert funnel.rows["physics"] == wanted.count("in")
    assert funnel.reasons.total() == wanted.count("rejected")
    assert funnel.verified == funnel.accepted == len(ends) - wanted.count("rejected") - wanted.count("parked")


def test_the_summary_counts_imported_problems_apart() -> None:
    events = life("in") + life("rejected") + life("")
    source = Step(
        service="import", event=uuid4(), type="problem.drafted", source=ImportSource(file="f", line=1, form="x")
    )
    for end in ("in", "rejected", ""):
        for event in life(end):
            if isinstance(event, SampleCurated):
                events.append(event.with_(imported=True))
            elif isinstance(event, ItemEvent):
                events.append(event.with_(item=event.item.with_(lineage=(source, *event.item.lineage))))
    summary = summed(fold(events), Completion())
    assert (summary.requested, summary.imported) == (3, 3)
    assert summary.requested + summary.imported == sum(summary.ends.values()) + summary.in_flight
    assert "3 requested + 3 imported = 2 in" in summary.lines()[0]


def test_a_run_ends_when_the_rows_are_there_and_released() -> None:
    funnel = fold(full())
    assert evaluate(funnel, PLAN, 0.0, 60.0) is None
    assert evaluate(funnel, PLAN, QUIET_S + 1, 60.0) == Completion()
    funnel.add(release(3))
    assert evaluate(funnel, PLAN, 0.0, 60.0) == Completion()


def test_a_run_waits_for_what_is_under_way_but_not_for_ever() -> None:
    funnel = fold([*full(), *life(""), release(3)])
    assert evaluate(funnel, PLAN, 59.0, 60.0) is None
    end = evaluate(funnel, PLAN, 61.0, 60.0)
    assert end
    assert end.short == "no event of 1 problems under way for 61 s"


def test_topics_that_are_requested_no_more_are_reported_by_reason() -> None:
    found = [ClosedTopic("physics", f"topic {n}", "defects") for n in range(6)] + [
        ClosedTopic("history", "coins", "repeats")
    ]
    assert topics(found) == [
        "topics    6 closed for defects: " + ", ".join(f"topic {n} (physics)" for n in range(5)) + ", …",
        "topics    1 exhausted, only repetitions: coins (history)",
    ]


def test_the_view_and_the_summary_show_what_blocks_a_run() -> None:
    metrics = {
        "expansion": ProcessMetrics(None, {"done": 1, "dead_letter": 2}),
        "synthesis": ProcessMetrics("endpoint lab does not answer"),
    }
    assert blockers.describe(metrics, 1.0) == "dead letters: 2 expansion"
    text = blockers.describe(metrics, 11.0)
    assert text == "dead letters: 2 expansion · not ready: synthesis: endpoint lab does not answer"
    console = Console(file=StringIO(), width=120)
    console.print(growth(fold(life("")), PLAN, Rate(4.0, 0), blockers=text))
    assert text in console.file.getvalue()  # type: ignore[attr-defined]
    ended: dict[str, Any] = {"seconds": 1.0, "wanted": 3, "rows": 0, "tokens": 0, "dataset": "d", "simulated": True}
    letters = [letter(name, number) for number, name in enumerate(("history", "physics", "[red]\x1b[2J"))]
    found = blockers.failures([*letters, replace(letters[0], id="0/9", settled="replayed")])
    ended["dataset"] = "mine/dataset"
    summary = Summary.of(fold(life("")), verdict(None), dead_letters=found, **ended)
    assert summary.dead_letters == {"subject.requested": 3}
    shown = summary.lines()
    assert "dead      2 subject.requested of history, physics in expansion: Invalid: no such subject" in shown
    assert "          after `chimera up` with the same options: chimera dead-letters list --dir mine" in shown
    assert not any("dead-letters list" in line for line in summary.lines(is_kept=False)), "nothing is there to list"


def test_the_view_and_the_summary_say_why_nothing_moves() -> None:
    PAUSED.labels("yield").set(1)
    planner = process_metrics.parse(generate_latest().decode(), None)
    PAUSED.labels("yield").set(0)
    guard = FloodGuard("synthesis", 1)
    guard.record_failure(Invalid("400: no such parameter"))
    metrics = {"planner": planner, "synthesis": ProcessMetrics(guard.why_stopped())}
    text = blockers.describe(metrics, 0.0)
    assert "too few become rows" in text
    assert "400: no such parameter" in text
    pause = planner.waits[0]
    end = evaluate(fold(life("rejected")), PLAN, QUIET_S + 1, 100, pause=pause)
    assert end is not None
    assert pause in (end.short or "")
    ended: dict[str, Any] = {"seconds": 1.0, "wanted": 3, "rows": 0, "tokens": 0, "dataset": "d", "simulated": True}
    assert f"waited    {text}" in Summary.of(fold(life("")), verdict(None), waits=text, **ended).lines()
    assert f"waited    {text}" not in Summary.of(fold(life("")), verdict(Completion()), waits=text, **ended).lines()


def test_closed_topics_come_from_the_planners_own_state() -> None:
    topic = Topic(subject="history", field="f", subfield="s", name="t")
    closed = TopicState(topic=topic.with_(name="coins"), closed="repeats")
    state = State(subjects={"history": SubjectState(topics=(TopicState(topic=topic), closed))})
    snapshot = Snapshot(state=state.model_dump(mode="json"), offsets={}, outbox="")
    assert [*read(snapshot)] == [ClosedTopic("history", "coins", "repeats")]
    assert [*read(Snapshot(state={}, offsets={}, outbox=""))] == []


def test_more_rows_than_are_requested_are_no_reason_to_delete_or_to_ask() -> None:
    assert "None is deleted" in already(20, 40)
    assert already(20, 20) == "The dataset already has 20 of 20 rows. For more, use --rows 40."


def test_for_ever_has_no_number_of_rows_and_no_end_in_sight() -> None:
    plan = PLAN.model_copy(update={"rows": FOREVER})
    funnel = Funnel()
    for event in life("in"):
        funnel.add(event)
    assert "left" not in footer(funnel, plan, Rate(10, 0))
    screen = StringIO()
    Console(file=screen, width=100).print(growth(funnel, plan, Rate(10, 0)))
    assert str(FOREVER)[:9] not in screen.getvalue()
    assert "physics  1 rows" in " ".join(screen.getvalue().split()).replace("physics 1", "physics  1")
    assert "0/" not in screen.getvalue()
    end = evaluate(funnel, plan, QUIET_S + 1, 100)
    assert end is not None
    assert (end.short or "").startswith("mathematics, physics: no topic is open")


@pytest.mark.parametrize(("what", "why"), [("parked", "1 problems are parked"), ("rejected", "no topic is open")])
def test_a_run_that_cannot_go_on_says_why(what: str, why: str) -> None:
    funnel = fold([*life("in"), *life(what)])
    assert evaluate(funnel, PLAN, QUIET_S - 1, 60.0) is None
    end = evaluate(funnel, PLAN, QUIET_S + 1, 60.0)
    assert end
    assert end.short
    assert end.short.startswith("mathematics lacks 2")
    assert why in end.short


def test_a_run_whose_budget_is_reached_says_what_is_spent_and_what_to_do() -> None:
    plan = PLAN.model_copy(update={"budget": Budget(tokens=100_000)})
    fields: dict[str, Any] = {
        "plan_hash": plan.hash,
        "model": "all",
        "unit": "tokens",
        "spent": 95_000,
        "limit": 100_000,
    }
    reached = BudgetReached.root(uuid4(), "planner", plan="test", **fields)
    assert evaluate(fold([reached, *life("in"), *life("")]), plan, 1.0, 60.0) is None, "something is under way"
    funnel = fold([reached, *life("in"), *life("parked")])
    money = str(BudgetLine("all", "tokens", 96_400, 100_000))
    why = "budget reached: 96,400 of 100,000 tokens spent, 1 rows, 1 problems parked"
    assert evaluate(funnel, plan, 0.0, 60.0, money) == Completion(why, "Raise the budget in the plan and run again")
    raised = plan.model_copy(update={"budget": Budget(tokens=200_000)})
    assert evaluate(funnel, raised, 0.0, 60.0, money) is None, "that was another plan"


def test_topics_that_were_requested_are_waited_for() -> None:
    request = SubjectRequested.root(uuid4(), "planner", plan="test", subject="physics", about="", wanted=1)
    funnel = fold([request])
    assert evaluate(funnel, PLAN, QUIET_S + 1, 3600.0) is None
    assert evaluate(funnel, PLAN, TOPICS_S + 1, 3600.0) is not None
    funnel.add(TopicExpanded.after(request, "expansion", plan="test", subject="physics", wanted=1, topics=()))
    assert evaluate(funnel, PLAN, QUIET_S + 1, 3600.0) is not None


def letter(subject: str, number: int) -> DeadLetter:
    """A request for topics that expansion could not process."""
    event = SubjectRequested.root(uuid4(), "planner", plan="test", subject=subject, about="", wanted=1)
    record, why = encode(event, "test/planner"), "no such subject" if "[" not in subject else f"no {subject}\nmore"
    fields: dict[str, Any] = {"key": record.key, "value": record.value, "headers": record.headers}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return DeadLetter(f"0/{number}", at, event.type, "expansion", "Invalid", why, 1, **fields)


def test_a_run_whose_requests_for_topics_are_dead_letters_ends() -> None:
    lost = letter("physics", 0)
    events = [*life("in", "mathematics"), *life("in", "mathematics"), lost.event]
    funnel, reasons = fold([event for event in events if event]), lost_subjects(blockers.failures([lost]))
    assert evaluate(funnel, PLAN, QUIET_S - 1, 3600.0, lost=reasons) is None
    end = evaluate(funnel, PLAN, QUIET_S + 1, 3600.0, lost=reasons)
    assert end
    assert "physics lacks 1" in (end.short or "")
    assert "subject.requested of physics in expansion: Invalid: no such subject" in (end.short or "")
    other = letter("mathematics", 1).event
    assert other
    funnel = fold([*life("in"), *(event for event in (lost.event, other) if event)])
    assert evaluate(funnel, PLAN, QUIET_S + 1, 3600.0, lost=reasons) is None, "mathematics is still awaited"
    only = Plan(name="test", rows=1, subjects={"mathematics": Subject()})
    end = evaluate(fold([event for event in (lost.event,) if event]), only, QUIET_S + 1, 3600.0)
    assert "no topic is open" in (end.short or "") if end else False, "a subject that left the plan holds nothing up"


def drawn(funnel: Funnel, *, terminal: bool, width: int = 80) -> str:
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, highlight=False, color_system=None)
    with LiveView(console) as view:
        view.stack(StackEvent("died", "panel", NASTY))
        view.grow(funnel, PLAN, Rate(16.0, 0))
        view.say("[not markup]")
    return out.getvalue()


def test_the_live_view_shows_bars_and_the_funnel() -> None:
    out = StringIO()
    Console(file=out, width=100).print(growth(fold([*full(), *life("")]), PLAN, Rate(16.0, 0)))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[:3] == [
        "mathematics  ██████████  2/2",
        "physics      ██████████  1/1",
        "requested 6 → screened 5 → verified 5 → accepted 5 → curated 4 · in flight 1",
    ]
    assert lines[3] == "0.2 rows/s · yield 80% · 0:16"
    assert lines[4].startswith("last rejected  ")
    assert len(lines) == 5
    assert problems(fold(life("parked"))).endswith(" · in flight 0 · parked 1")


@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize("terminal", [True, False])
def test_text_of_a_model_cannot_break_the_view(width: int, terminal: bool) -> None:
    text = drawn(fold(life("rejected")), terminal=terminal, width=width)
    assert "[2J" not in text.replace(" [2J", "")
    assert "\x07" not in text
    assert "[bold red]"[:4] in text
    assert "[not markup]" in text


def test_time_left_is_reported_once_there_is_a_rate() -> None:
    assert footer(Funnel(), PLAN, Rate(4.0, 0)) == "0 rows/h · 0:04"
    assert footer(fold(life("in")), PLAN, Rate(4.0, 0)) == "0.2 rows/s · yield 100% · 0:04, about 0:08 left"


def test_the_summary_adds_up_and_says_what_to_do_next() -> None:
    funnel = fold([*full(), release(3)])
    for number in (1, 2, 1):
        funnel.add(judged(number, AuditTag(kind="sign")))
    lines = summed(funnel, Completion()).lines()
    assert lines[0] == "Done in 22 s: 5 requested = 3 in + 1 reserve + 0 aside + 1 rejected + 0 parked"
    assert lines[1] == "rejected  1 repeat"
    assert lines[2] == "dataset   .chimera/dataset · 3 of 3 rows · release 3 · 412k tokens"
    assert lines[3] == "audits    2 judged; results: chimera audit"
    assert any(line.startswith("why is a row believed?  chimera dataset show ") for line in lines)
    assert lines[-1] == "read it in a browser    chimera console"
    document = json.loads(json.dumps(summed(funnel, Completion()).document()))
    assert document["requested"] == sum(document["ends"].values()) + document["in_flight"]
    assert UUID(document["example"])


@pytest.mark.parametrize(("place", "named"), [("s3://lab/factory", ""), ("mine/dataset", " --dir mine")])
def test_the_next_step_finds_the_dataset_where_it_lies(monkeypatch: pytest.MonkeyPatch, place: str, named: str) -> None:
    monkeypatch.setenv("CHIMERA_DATASET", place if "://" in place else "dataset")
    summary = replace(summed(fold([*full(), release(3)]), Completion()), dataset=place)
    assert f"why is a row believed?  chimera dataset show {str(summary.example)[:8]}{named}" in summary.lines()
    assert summary.lines()[-1] == f"read it in a browser    chimera console{named}"


@pytest.mark.parametrize(
    ("outcome", "first", "reason"),
    [
        (None, "Stopped in 22 s: 1 requested = 0 in + 0 reserve + 0 aside + 0 rejected + 0 parked + 1 under way", None),
        (Refusal("panel died 5 times", "Read panel.log"), "Failed in 22 s", "reason    panel died 5 times"),
        (Refusal("writer: is it up?", "Restore it"), "Failed in 22 s", "reason    writer: is it up?"),
        (Completion("physics lacks 1", "Run again"), "Short in 22 s", "reason    physics lacks 1"),
    ],
)
def test_every_other_end_has_a_reason_and_a_next_step(
    outcome: Completion | Refusal | Refusal | None, first: str, reason: str | None
) -> None:
    lines = summed(fold(life("")), outcome).lines()
    assert lines[0].startswith(first)
    assert reason is None or lines[1] == reason
    assert any(line.startswith("next") for line in lines)


def test_numbers_are_written_for_people() -> None:
    assert [duration(s) for s in (21.6, 250, 11_100)] == ["22 s", "4 min 10 s", "3 h 5 min"]
    assert [clock(s) for s in (16.9, 3725)] == ["0:16", "1:02:05"]
    assert [short(n) for n in (950, 412_345, 3_100_000)] == ["950", "412k", "3.1M"]


def chimera(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_a_wrong_plan_is_refused_with_line_and_key_before_anything_starts(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("name: mine\nrows: 3\nsubjects:\n  mathmatics: {}\n")
    status, output = chimera("run", "--plan", str(plan), "--dir", str(tmp_path / "state"))
    assert status == 1
    assert f"{plan}:4: subjects.mathmatics: unknown subject; did you mean mathematics?" in output
    assert "Next step: " in output
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--model", "m"],
        ["run", "--base-url", "http://127.0.0.1:1/v1"],
        ["run", "--api-key-env", "KEY"],
        ["run", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--seed", "1"],
        ["run", "--rows", "0"],
        ["run", "--nonsense"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert chimera(*arguments)[0] == 2


@pytest.mark.parametrize(
    ("url", "reported"),
    [
        ("127.0.0.1:1/v1", "--base-url is not an address"),
        ("http://127.0.0.1:1/v1", "is it up?"),
    ],
)
def test_an_endpoint_that_cannot_work_is_refused(tmp_path: Path, url: str, reported: str) -> None:
    status, output = chimera("run", "--base-url", url, "--model", "m", "--dir", str(tmp_path / "state"))
    assert status == 1
    assert reported in output
    assert not (tmp_path / "state" / "plan.yaml").exists()


@pytest.mark.parametrize("command", ["run", "up", "preview"])
def test_a_subject_of_which_the_simulator_has_no_problems_is_refused(tmp_path: Path, command: str) -> None:
    subjects = {"physics": Subject(), "music theory": Subject(about="harmony and form")}
    plan = Plan(name="test", rows=3, subjects=subjects)
    (tmp_path / "plan.yaml").write_text(plan.model_dump_json())
    place = () if command == "preview" else ("--dir", str(tmp_path / "state"))
    status, output = chimera(command, "--plan", str(tmp_path / "plan.yaml"), *place)
    assert status == 1
    assert "has no problems of music theory" in output
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("command", ["run", "up", "preview", "check plan"])
def test_a_plan_with_a_probe_and_no_base_model_is_refused(tmp_path: Path, command: str) -> None:
    roles = {role: {"endpoint": "a", "model": role} for role in ("writer", "verifier_a", "verifier_b", "solver")}
    endpoints = {"a": {"base_url": "http://127.0.0.1:1/v1"}}
    models, plan = tmp_path / "models.json", tmp_path / "plan.json"
    models.write_text(json.dumps({"endpoints": endpoints, "roles": roles}))
    plan.write_text(json.dumps({"name": "p", "rows": 3, "subjects": {"physics": {}}, "solving": {"probe_attempts": 4}}))
    given = (str(plan),) if command == "check plan" else ("--plan", str(plan))
    place = () if command == "preview" else ("--dir", str(tmp_path / "state"))
    status, output = chimera(*command.split(), *given, *place, "--models", str(models))
    assert status == 1
    assert "no model has the role base" in output


def test_a_models_file_of_the_simulator_is_refused_for_other_subjects(tmp_path: Path) -> None:
    played = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:1/v1", simulated=True), "m")
    (tmp_path / "models.json").write_text(played.model_dump_json())
    plan = Plan(name="test", rows=3, subjects={"music theory": Subject(about="harmony and form")})
    (tmp_path / "plan.json").write_text(plan.model_dump_json())
    status, output = chimera("check", "plan", str(tmp_path / "plan.json"), "--models", str(tmp_path / "models.json"))
    assert status == 1
    assert "the models are simulated, and the simulator has no problems of music theory" in output


def test_simulated_and_real_rows_are_not_mixed(tmp_path: Path) -> None:
    cast = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:1/v1"), "m")
    (tmp_path / "models.json").write_text(cast.model_dump_json())
    played = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:1/v1", simulated=True), "m")
    (tmp_path / "played.json").write_text(played.model_dump_json())
    status, output = chimera("run", "--models", str(tmp_path / "played.json"), "--dir", str(tmp_path))
    assert status == 1
    assert "contains rows of real models" in output


async def test_a_kafka_that_does_not_answer_at_the_start_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: LocalFactory) -> None:
        raise Transient("Kafka does not answer")

    monkeypatch.setattr(LocalFactory, "_start_infrastructure", away)
    models = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:1/v1"), "m")
    factory = LocalFactory(RunConfig(PLAN, tmp_path, models), lambda _: None)
    factory.models = models
    with pytest.raises(Transient, match="Kafka does not answer"):
        await factory.start()
