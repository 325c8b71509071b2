"""`chimera review`: the queue, files of several people, and what becomes of items that were decided about."""

import asyncio
import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from schemas.events import (
    Event,
    ProblemReviewed,
    SampleCurated,
    SolutionChecked,
    SolutionRequested,
    SolutionSynthesized,
)
from services.aggregator.handler import Curate
from services.answer_checker.handler import CheckAnswer
from services.cli.__main__ import app
from services.cli.common.run_config import RunConfig
from services.cli.review.apply import Review
from services.cli.review.decisions import Decision, read_decisions
from shared.answers.grade import Graders
from shared.dataset import Dataset, Row, open_reviews
from shared.dataset.event_replay import AdmissionReplay
from shared.dataset.rebuild import Rebuild
from shared.dataset.reports.wrong_keys import estimate_wrong_keys
from shared.errors import Refusal
from tests.support.items import attempt, checked, item, log, plan, rejected

WANTED = plan(2)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = ("solution.checked", "problem.rejected", "sample.deleted", "audit.judged", "problem.reverified")
ROW, PLAUSIBLE, RESERVE, REJECT, OTHER = (str(item(number)[0].id) for number in (0, 1, 3, 7, 8))


def at(solved: Sequence[Event], number: int) -> list[Any]:
    return log(*solved, incarnation=f"run {number}", partitions=1)


async def opened(folder: Path) -> Curate:
    clock = count()
    sink = Curate(folder, "test", WANTED, lambda: NOW + timedelta(seconds=next(clock)), lambda _: None)
    await sink.open(dict.fromkeys((*TOPICS, "problem.resolved", "problem.reviewed"), "one"))
    return sink


@pytest.fixture
async def made(tmp_path: Path) -> tuple[Path, Curate]:
    """Three rows, of which one is only plausible and one in reserve, and two rejected problems."""
    sink = await opened(tmp_path / "dataset")
    first = [checked(0), checked(1, tier="plausible", attempts=(attempt(0, "no"),)), checked(2), checked(3)]
    await sink.write(at([*first, rejected(7, "key_disputed"), rejected(8, "unsolved")], 0))
    return tmp_path, sink


def review(home: Path, *decisions: Decision) -> Review:
    return Review(RunConfig(WANTED, home), decisions, Console(quiet=True), "test")


def row(home: Path, id_: str) -> Row:
    (found,) = (one for one in Dataset.open(home / "dataset").rows if one.id == id_)
    return found


def chimera(home: Path, *arguments: str, keys: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["review", "--dir", str(home), *arguments], input=keys)
    return result.exit_code, result.stderr if result.exit_code else result.stdout


async def test_decisions_move_rows_and_a_person_outweighs_the_votes(made: tuple[Path, Curate]) -> None:
    home, sink = made
    counted = await asyncio.to_thread(
        review,
        home,
        Decision(ROW, "reject", "Ada", "it's \\frac{1}{2}, not 42"),
        Decision(PLAUSIBLE, "accept", "Ada", "checked by hand"),
    )
    cursor = sink.outbox(None)[1]
    await sink.write(at([one.event for one in counted.planned], 1))
    gone, kept = row(home, ROW), row(home, PLAUSIBLE)
    assert (gone.admission, gone.views, gone.tier) == ("aside", (), "disputed")
    assert gone.tier_reason == "rejected by Ada: it's \\frac{1}{2}, not 42"
    assert (kept.tier, kept.views, kept.tier_reason) == ("reviewed", ("rl",), "accepted by Ada: checked by hand")
    assert row(home, RESERVE).admission == "in"  # it takes the free place
    moved = [one for one in sink.outbox(cursor)[0] if isinstance(one, SampleCurated)]
    assert {(str(one.sample_id), one.before, one.admission, one.imported) for one in moved} == {
        (ROW, "in", "aside", None),
        (PLAUSIBLE, "aside", "aside", None),
        (RESERVE, None, "in", None),
    }
    again = await asyncio.to_thread(review, home, Decision(ROW, "reject", "Ada", "as before"))
    assert (again.planned, again.repeated) == ([], 1)
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["dataset", "show", ROW, "--dir", str(home)])
    assert "reviewed    reject by Ada" in shown.stdout


async def test_a_reject_that_a_person_accepts_is_solved_and_not_disputed(made: tuple[Path, Curate]) -> None:
    home, sink = made
    [planned] = (await asyncio.to_thread(review, home, Decision(REJECT, "accept", "Ada", "right"))).planned
    assert isinstance(planned.follows, SolutionRequested)
    new = planned.follows.item
    rival = attempt(0, "no").with_(answer="41", agrees=None)  # also an answer of the verifiers
    solved = SolutionSynthesized.of(planned.follows, "synthesis", new, attempt=rival)
    [end] = await CheckAnswer(Graders(), traces=1, retries=0)(solved)
    assert isinstance(end, SolutionChecked)
    await sink.write(at([planned.event, end], 1))
    found = row(home, str(new.id))
    assert (found.tier, found.tier_reason, found.views) == ("reviewed", "accepted by Ada: right", ("rl",))
    assert new.id != item(7)[0].id
    assert (await asyncio.to_thread(review, home, Decision(REJECT, "accept", "Ada", "right"))).repeated == 1


async def test_a_corrected_key_grades_the_solutions_again(made: tuple[Path, Curate]) -> None:
    home, sink = made
    [planned] = (await asyncio.to_thread(review, home, Decision(ROW, "correct", "Ada", "a slip", "41"))).planned
    assert isinstance(planned.follows, SolutionSynthesized)
    assert planned.follows.attempt.agrees is None
    [checked_, *_] = await CheckAnswer(Graders(), traces=1, retries=0)(planned.follows)
    assert isinstance(checked_, SolutionChecked)
    assert [one.agrees for one in checked_.item.attempts] == ["no"]
    assert [[vote.agrees for vote in one.votes] for one in checked_.item.verdicts] == [["yes", "no"]] * 2
    await sink.write(at([planned.event, checked_], 1))
    old, new = row(home, ROW), row(home, checked_.key)
    assert (old.admission, old.tier_reason) == ("aside", "corrected to '41' by Ada: a slip")
    assert (new.answer, new.tier, new.correct, new.views) == ("41", "reviewed", False, ("rl",))


async def test_contradicting_decisions_change_nothing_and_are_listed(made: tuple[Path, Curate]) -> None:
    home, sink = made
    ada = Decision(OTHER, "reject", "Ada", "no")
    await sink.write(at([(await asyncio.to_thread(review, home, ada)).planned[0].event], 1))
    files = [home / "one.csv", home / "two.jsonl"]
    lines = [
        (ROW, "accept", "", "fine", "Ben"),
        (REJECT, "correct", "41", "why", "Ben"),
        (OTHER, "accept", "", "x", "Ben"),
    ]
    with files[0].open("w", newline="") as file:
        csv.writer(file).writerows(
            [("id", "decision", "answer", "reason", "name"), *lines, (RESERVE, "skip", "", "", "")]
        )
    files[1].write_text(json.dumps({"id": ROW, "decision": "reject", "reason": "bad"}) + "\n")
    found = await asyncio.to_thread(read_decisions, files, "Cy")
    work = await asyncio.to_thread(review, home, *found)
    assert {id_: [one.name for one in those] for id_, those in work.contradictions.items()} == {
        ROW: ["Ben", "Cy"],
        OTHER: ["Ada", "Ben"],
    }
    assert [one.event.key for one in work.planned] == [REJECT]
    arguments = ("--json", "--dry-run", *(part for path in files for part in ("--apply", str(path))), "--name", "Cy")
    status, output = await asyncio.to_thread(chimera, home, *arguments)
    assert status == 0, output
    numbers = json.loads(output)
    assert (numbers["correct"], numbers["to_solve"], set(numbers["contradictions"])) == (1, 0, {ROW, OTHER})


async def test_a_file_with_one_line_that_is_no_decision_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    good = {"id": ROW, "decision": "reject", "reason": "bad", "name": "Ada"}
    for change, words in (
        ({"decision": "maybe"}, "not accept, correct, reject or skip"),
        ({"id": "1 or 1"}, "not that of an item"),
        ({"reason": " "}, "needs a reason"),
        ({"name": None}, "name of a person"),
        ({"decision": "correct"}, "needs the right key"),
        ({"answer": "41"}, "no other decision has one"),
        ({"reason": "x" * 3000}, "more than 2,000 characters"),
    ):
        path.write_text("".join(json.dumps(one) + "\n" for one in (good, {**good, **change})))
        with pytest.raises(Refusal, match=words):
            await asyncio.to_thread(read_decisions, [path], "")


async def test_the_queue_is_exported_and_shown_in_the_order_of_its_value(made: tuple[Path, Curate]) -> None:
    home, sink = made
    path = home / "queue.csv"
    status, output = await asyncio.to_thread(chimera, home, "--export", str(path))
    assert status == 0, output
    lines = list(csv.DictReader(path.read_text().splitlines()))
    values = [float(line["value"]) for line in lines]
    assert {line["id"] for line in lines} == {PLAUSIBLE, REJECT, OTHER}
    assert values == sorted(values, reverse=True)
    assert {line["rivals"] for line in lines} == {"41 ×2"}
    assert (await asyncio.to_thread(chimera, home, "--export", str(path)))[0] == 1
    first = lines[0]["id"]
    await sink.write(
        at([(await asyncio.to_thread(review, home, Decision(first, "reject", "Ada", "no"))).planned[0].event], 1)
    )
    status, output = await asyncio.to_thread(chimera, home, "--name", "Ada", keys="s\nq\n")
    assert status == 0, output
    assert "2 doubtful items" in output
    assert first[:8] not in output


async def test_a_rebuild_restores_what_people_decided(made: tuple[Path, Curate]) -> None:
    home, sink = made
    first = at([checked(0), checked(1, tier="plausible", attempts=(attempt(0, "no"),)), checked(2), checked(3)], 0)
    decisions = (Decision(ROW, "reject", "Ada", "no"), Decision(PLAUSIBLE, "accept", "Ada", "yes"))
    events: list[ProblemReviewed] = [one.event for one in (await asyncio.to_thread(review, home, *decisions)).planned]
    for number, event in enumerate(events):
        await sink.write(at([event], number + 1))
    replay = AdmissionReplay()
    for published in sink.outbox(None)[0]:
        replay.apply(published, NOW)
    rebuild = Rebuild(home / "again", "test", replay)
    rebuild.add_solutions(first)
    rebuild.add_reviews(at(events, 0))
    rebuild.finish()
    assert rebuild.differing == []
    tables = [Dataset.open(home / name).rows for name in ("dataset", "again")]
    old, new = ({one.id: (one.row_hash, one.tier, one.admission, one.views) for one in rows} for rows in tables)
    assert old == new
    reviews = open_reviews(home / "again")
    assert reviews is not None
    assert {one.item_id for one in reviews} == {ROW, PLAUSIBLE}


async def test_decisions_are_labels_for_the_estimate_of_wrong_keys(made: tuple[Path, Curate]) -> None:
    home, sink = made

    async def decide(number: int, *decisions: Decision) -> dict[str, Any]:
        planned = (await asyncio.to_thread(review, home, *decisions)).planned
        follows = [one.follows for one in planned if one.follows]
        solved = (SolutionChecked.of(one, "x", one.item.with_(attempts=(attempt(),)), final=True) for one in follows)
        await sink.write(at([*(one.event for one in planned), *solved], number))
        return await asyncio.to_thread(lambda: estimate_wrong_keys(Dataset.open(home / "dataset"), None))

    ids = [str(item(number)[0].id) for number in (0, 1, 2, 3, 7)]
    right = await decide(1, *(Decision(id_, "accept", "Ada", "right") for id_ in ids))
    assert right["items"] == 6  # the rejected problem and the row that it became count once
    assert right["rows"]["all"]["rows"] == 5
    assert right["rows"]["all"]["estimate"] == 0
    assert (await decide(2, Decision(ROW, "reject", "Ada", "wrong")))["rows"]["all"]["estimate"] == pytest.approx(0.2)
