"""Rows whose difficulty is measured again for another model: what they leave, and that it stays so."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.events import Event, ProblemReprobed, ProblemReverified
from schemas.identity import derive
from schemas.item import Probe
from schemas.run_tag import RunTag
from services.aggregator.handler import Curate
from shared.dataset import Dataset, open_probings
from shared.dataset.event_replay import AdmissionReplay
from shared.dataset.rebuild import Rebuild
from tests.support.items import call, checked, item, log, plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = ("solution.checked", "problem.rejected", "sample.deleted", "audit.judged", "problem.reverified")


def reprobed(number: int, probe: Probe | None, *leaves: str, run: str = "one") -> ProblemReprobed:
    made, requested = item(number)
    tag = RunTag(run=run, kind="probe", problem=made.id, believed=True, difficulty=0.75, leaves=leaves)
    copy = made.with_(id=derive(made.id, f"probe/{run}"), attempts=(), lineage=(), probe=probe)
    return ProblemReprobed.of(requested, "probe", copy, (call("probe", model="newer"),), run=tag)


def reverified(number: int) -> ProblemReverified:
    made, requested = item(number)
    run = RunTag(run="two", problem=made.id, believed=True, admission="in")
    copy = made.with_(id=derive(made.id, "reverify/two"), attempts=())
    end: dict[str, Any] = {"accepted": True, "reason": "verified", "detail": "as before"}
    return ProblemReverified.of(requested, "panel", copy, run=run, **end)


def fates(folder: Path) -> dict[str, tuple[Any, ...]]:
    rows = Dataset.open(folder).rows
    return {row.id: (row.difficulty, row.admission, row.views, row.row_hash, row.event) for row in rows}


async def test_always_solved_rows_leave_a_view_for_good(tmp_path: Path) -> None:
    sink = Curate(tmp_path / "a", "test", plan(4), lambda: NOW, lambda _: None)
    await sink.open(dict.fromkeys((*TOPICS, "problem.resolved", "problem.reprobed", "problem.reviewed"), "one"))
    first = log(*(checked(number) for number in range(5)), partitions=1)
    story: list[Event] = [
        reprobed(0, Probe(attempts=4, hits=4), "rl"),
        reprobed(1, Probe(attempts=4, hits=3), "rl"),
        reprobed(2, Probe(attempts=4, hits=0, ungraded=4), "rl"),
        reprobed(3, None, "rl"),
        reprobed(4, Probe(attempts=4, hits=4), "sft", "rl"),
    ]
    second = log(*story, partitions=1)
    await sink.write(first)
    await sink.write(second)
    await sink.write(log(*(reverified(number) for number in range(5)), partitions=1))
    found = fates(tmp_path / "a")
    assert [found[str(item(number)[0].id)][:3] for number in range(5)] == [
        (0.0, "in", ("sft",)),
        (0.25, "in", ("sft", "rl")),
        (None, "in", ("sft", "rl")),
        (0.75, "in", ("sft", "rl")),
        (0.0, "aside", ()),
    ]
    replay = AdmissionReplay()
    for event in sink.outbox(None)[0]:
        replay.apply(event, NOW)
    rebuild = Rebuild(tmp_path / "b", "test", replay)
    rebuild.add_solutions(first)
    rebuild.add_probings(second)
    rebuild.finish()
    assert (rebuild.differing, rebuild.probings) == ([], 5)
    assert fates(tmp_path / "b") == found
    table = open_probings(tmp_path / "b")
    assert table is not None
    assert {(line.model, line.difficulty_before) for line in table} == {("newer", 0.75)}
