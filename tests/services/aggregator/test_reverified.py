"""Rows that other verifiers judge again: what moves, what takes its place, and that it happens once."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.events import DatasetReleased, Event, ProblemReverified, SampleCurated
from schemas.identity import derive
from schemas.run_tag import RunTag
from services.aggregator.handler import Curate
from shared.dataset import Dataset, open_reverifications
from shared.dataset.event_replay import AdmissionReplay
from shared.dataset.rebuild import Rebuild
from tests.support.items import attempt, checked, deleted, item, log, plan, rejected

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reverified(number: int, accepted: bool, tier: str = "verified", **tag: Any) -> ProblemReverified:
    made, requested = item(number, tier=tier if accepted else "disputed", attempts=())
    run = RunTag(**{"run": "one", "problem": made.id, "believed": True, "admission": "in", **tag})
    copy = made.with_(id=derive(made.id, f"reverify/{run.run}"), attempts=())
    reason = tier if accepted else "key_disputed"
    return ProblemReverified.of(
        requested, "panel", copy, run=run, accepted=accepted, reason=reason, detail="Two rivals."
    )


async def opened(folder: Path, rows: int) -> Curate:
    sink = Curate(folder, "test", plan(rows), lambda: NOW, lambda _: None)
    names = ("solution.checked", "problem.rejected", "sample.deleted", "audit.judged", "problem.reverified")
    await sink.open(dict.fromkeys(names, "one"))
    return sink


def fates(folder: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {row.id: (row.admission, row.views) for row in Dataset.open(folder).rows}


def fate(folder: Path, number: int) -> tuple[str, tuple[str, ...]] | None:
    return fates(folder).get(str(item(number)[0].id))


def outbox(sink: Curate) -> list[Event]:
    return list(sink.outbox(None)[0])


async def test_a_row_that_is_not_believed_any_more_is_replaced_from_the_reserve(tmp_path: Path) -> None:
    sink = await opened(tmp_path, 2)
    first = log(*(checked(number) for number in range(4)), partitions=1)
    await sink.write(first)
    before = sink.outbox(None)[1]
    version = Dataset.open(tmp_path).rows.version
    await sink.write(log(reverified(0, accepted=False), reverified(1, accepted=True)))
    assert Dataset.open(tmp_path).rows.version == version + 1  # one commit
    assert fate(tmp_path, 0) == ("aside", ())
    assert Counter(admission for admission, _ in fates(tmp_path).values()) == {"in": 2, "aside": 1, "reserve": 1}
    events, _ = sink.outbox(before)
    moved = [one for one in events if isinstance(one, SampleCurated)]
    assert {(one.before, one.admission, one.cause.index) for one in moved} == {("in", "aside", 2), (None, "in", 1)}
    assert sum(isinstance(one, DatasetReleased) for one in events) == 1


async def test_repeated_reverifications_change_nothing(tmp_path: Path) -> None:
    sink = await opened(tmp_path, 2)
    await sink.write(log(*(checked(number) for number in range(3)), partitions=1))
    story = log(reverified(0, accepted=False), reverified(1, accepted=True, tier="plausible"))
    await sink.write(story)
    found, published = fates(tmp_path), {event.id for event in outbox(sink)}
    heir = await opened(tmp_path, 2)
    for one in (sink, heir):
        await one.write(log(*(record.event for record in story), partitions=1, incarnation="two"))
        assert (fates(tmp_path), {event.id for event in outbox(one)}) == (found, published)
    table = open_reverifications(tmp_path)
    assert table is not None
    assert len(table) == 2


async def test_a_comparison_moves_no_row_and_a_deleted_row_stays_deleted(tmp_path: Path) -> None:
    sink = await opened(tmp_path, 4)
    await sink.write(log(*(checked(number) for number in range(2)), rejected(7)))
    await sink.write(log(deleted(checked(1))))
    found = fates(tmp_path)
    reject = reverified(7, accepted=True, believed=False, admission=None)
    await sink.write(log(reverified(0, accepted=False, compare=True), reverified(1, accepted=True), reject))
    assert fates(tmp_path) == found
    assert Dataset.open(tmp_path).ledger.counts("kind") == {("rejected",): 1, ("deleted",): 1}


async def test_a_row_gains_views_by_new_evidence_and_keeps_its_solution(tmp_path: Path) -> None:
    sink = await opened(tmp_path, 2)
    await sink.write(log(checked(0, tier="unsolved"), checked(1, attempts=(attempt(0, "no"),))))
    assert [fate(tmp_path, number) for number in range(2)] == [("aside", ()), ("aside", ("rl",))]
    known: dict[str, Any] = {"believed": False, "admission": "aside"}
    await sink.write(log(reverified(0, accepted=True, **known), reverified(1, accepted=True, **known)))
    assert [fate(tmp_path, number) for number in range(2)] == [("in", ("sft", "rl")), ("aside", ("rl",))]


async def test_a_rebuild_restores_the_fates_of_reverified_rows(tmp_path: Path) -> None:
    sink = await opened(tmp_path / "a", 2)
    first, second = (
        log(*(checked(n) for n in range(4)), partitions=1),
        log(reverified(0, accepted=False), reverified(3, accepted=False)),
    )
    await sink.write(first)
    await sink.write(second)
    replay = AdmissionReplay()
    for event in outbox(sink):
        replay.apply(event, NOW)
    rebuild = Rebuild(tmp_path / "b", "test", replay)
    rebuild.add_solutions(first)
    rebuild.add_reverifications(second)
    rebuild.finish()
    assert fates(tmp_path / "b") == fates(tmp_path / "a")
    assert rebuild.reverifications == 2
    assert _lines(tmp_path / "b") == _lines(tmp_path / "a")


def _lines(folder: Path) -> Sequence[tuple[Any, ...]]:
    table = open_reverifications(folder)
    assert table is not None
    return sorted((line.id, line.item_id, line.accepted, line.verdicts) for line in table)
