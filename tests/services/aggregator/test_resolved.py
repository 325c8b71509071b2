"""Rows whose problem another solver solves again: which solution they have, and that it happens once."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.config.plan import Plan
from schemas.config.policies import Solving
from schemas.events import Event, ProblemResolved, SampleCurated
from schemas.identity import derive
from schemas.item import Attempt
from schemas.run_tag import RunTag
from services.aggregator.handler import Curate
from shared.dataset import Dataset, Row, open_resolutions
from shared.dataset.event_replay import AdmissionReplay
from shared.dataset.rebuild import Rebuild
from tests.support.items import attempt, call, checked, deleted, item, log, plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = ("solution.checked", "problem.rejected", "sample.deleted", "audit.judged", "problem.reverified")


def newer(agrees: str = "yes", flaws: tuple[str, ...] = (), text: str = "it's $\\frac{1}{2}$ -- no?\n") -> Attempt:
    solver = call("synthesis", model="newer", seed=7)
    return attempt(0, agrees, flaws, text).with_(provenance=solver)


def resolved(number: int, *attempts: Attempt, run: str = "one", tier: str = "verified") -> ProblemResolved:
    made, requested = item(number, tier=tier)
    tag = RunTag(run=run, kind="resolve", problem=made.id, believed=True, admission="in", correct=True)
    copy = made.with_(id=derive(made.id, f"resolve/{run}"), attempts=attempts, lineage=())
    return ProblemResolved.of(requested, "answer_checker", copy, (call("synthesis"),), run=tag, disputed=None)


async def opened(folder: Path, rows: int = 2, choose: Any = None) -> Curate:
    wanted: Plan = plan(rows).model_copy(update={"solving": Solving(choose=choose)})
    sink = Curate(folder, "test", wanted, lambda: NOW, lambda _: None)
    await sink.open(dict.fromkeys((*TOPICS, "problem.resolved"), "one"))
    return sink


def row(folder: Path, number: int) -> Row:
    (found,) = (one for one in Dataset.open(folder).rows if one.id == str(item(number)[0].id))
    return found


def solvers(found: Row) -> list[str]:
    return [one["provenance"]["model"] for one in json.loads(found.attempts)]


def outbox(sink: Curate) -> list[Event]:
    return list(sink.outbox(None)[0])


async def test_the_plan_chooses_among_old_and_new_solutions(tmp_path: Path) -> None:
    short, long = newer(text="short"), newer(text="long " * 99)
    cases: tuple[tuple[Any, Attempt, bool], ...] = (
        (None, long, False),
        ("newest_correct", long, True),
        ("newest_correct", newer(flaws=("told",)), False),
        ("newest_correct", newer("no"), False),
        ("shortest_correct", short, True),
        ("shortest_correct", long, False),
    )
    for number, (choose, new, wins) in enumerate(cases):
        folder = tmp_path / str(number)
        sink = await opened(folder, choose=choose)
        await sink.write(log(checked(0)))
        before = row(folder, 0)
        await sink.write(log(resolved(0, new)))
        after = row(folder, 0)
        assert solvers(after) == ["model of synthesis", "newer"]
        assert after.solver == ("newer" if wins else "model of synthesis"), choose
        assert after.reasoning == (new.reasoning if wins else before.reasoning)
        assert (after.admission, after.views, after.problem) == (before.admission, before.views, before.problem)
        assert after.row_hash != before.row_hash


async def test_a_newer_solution_brings_a_row_in_whose_solution_missed_the_key(tmp_path: Path) -> None:
    sink = await opened(tmp_path)
    await sink.write(
        log(checked(0, attempts=(attempt(0, "no"),)), checked(1, tier="plausible", attempts=(attempt(0, "no"),)))
    )
    cursor = sink.outbox(None)[1]
    await sink.write(log(resolved(0, newer()), resolved(1, newer("no"), tier="plausible")))
    assert [(row(tmp_path, n).admission, row(tmp_path, n).views) for n in (0, 1)] == [
        ("in", ("sft", "rl")),
        ("aside", ("rl",)),
    ]
    events = [one for one in sink.outbox(cursor)[0] if isinstance(one, SampleCurated)]
    assert {(one.before, one.admission) for one in events} == {("aside", "in"), ("aside", "aside")}


async def test_repeated_solutions_change_nothing_and_deleted_rows_stay_deleted(tmp_path: Path) -> None:
    sink = await opened(tmp_path, choose="newest_correct")
    await sink.write(log(checked(0), checked(1)))
    await sink.write(log(deleted(checked(1))))
    story = [resolved(0, newer(), newer("no", text="again")), resolved(1, newer())]
    await sink.write(log(*story, partitions=1))
    found, published = row(tmp_path, 0), {event.id for event in outbox(sink)}
    assert len(solvers(found)) == 3
    heir = await opened(tmp_path, choose="newest_correct")
    heir._resolved._ids.clear()  # as after a crash between the commits of the rows and of the resolutions
    for one in (sink, heir):
        await one.write(log(*story, checked(0), partitions=1, incarnation="two"))
        assert (row(tmp_path, 0), {event.id for event in outbox(one)}) == (found, published)
    assert len(Dataset.open(tmp_path).rows) == 1


async def test_a_rebuild_restores_solutions_and_leaves_undecided_ones(tmp_path: Path) -> None:
    sink = await opened(tmp_path / "a", 1, choose="shortest_correct")
    first = log(*(checked(number) for number in range(3)), partitions=1)
    second = log(
        resolved(0, newer(text="long " * 99)),
        resolved(0, newer(text="tiny").with_(provenance=call("synthesis", model="third")), run="two"),
        resolved(1, newer(), newer("no", text="again")),
        resolved(2, newer(text="undecided")),
        partitions=1,
    )
    await sink.write(first)
    await sink.write(second[:2])
    await sink.write(second[2:3])
    (reserved, *_) = [number for number in (1, 2) if row(tmp_path / "a", number).admission == "reserve"]
    await sink.write(log(deleted(checked(0))))
    replay = AdmissionReplay()
    for event in (*outbox(sink), deleted(checked(0))):
        replay.apply(event, NOW)
    rebuild = Rebuild(tmp_path / "b", "test", replay)
    rebuild.add_solutions(first)
    rebuild.add_resolutions(second)
    rebuild.finish()
    assert reserved
    assert rebuild.differing == []
    assert contents(tmp_path / "b") == contents(tmp_path / "a")
    assert rebuild.resolutions == 3
    assert lines(tmp_path / "b") == lines(tmp_path / "a")
    heir = await opened(tmp_path / "b", 1, choose="shortest_correct")
    await heir.write(second)
    await sink.write(second[3:])
    assert contents(tmp_path / "b") == contents(tmp_path / "a")


def contents(folder: Path) -> dict[str, tuple[Any, ...]]:
    rows = Dataset.open(folder).rows
    return {one.id: (one.row_hash, one.solution, one.event, one.admission, one.views) for one in rows}


def lines(folder: Path) -> Sequence[tuple[Any, ...]]:
    table = open_resolutions(folder)
    assert table is not None
    return sorted((line.id, line.item_id, line.correct, line.solver, line.attempts) for line in table)
