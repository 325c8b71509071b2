"""The aggregator against real Delta tables: nothing lost, nothing twice, exactly the requested rows."""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit_tag import AuditTag
from schemas.config.plan import Plan
from schemas.config.policies import Difficulty, HeldOut, Releases, Solving, Verification
from schemas.events import (
    AuditJudged,
    BeliefEstimated,
    DatasetReleased,
    Event,
    SampleCurated,
    SolutionChecked,
    TrainingTriggered,
)
from schemas.item import ImportSource, Probe
from services.aggregator.events import SUMMARY_LENGTH
from services.aggregator.handler import Curate
from services.aggregator.policy import Quotas, assign_views, decide
from shared.dataset import Dataset, Progress, open_audits
from shared.dataset.table import SETTINGS
from shared.errors import Refusal, Transient
from shared.ports import Record, StoredOffset
from shared.stats.belief_model import Parameters
from tests.support.items import attempt, call, checked, deleted, judged, log, plan, record, rejected

TOPICS = dict.fromkeys(("solution.checked", "problem.rejected", "sample.deleted", "audit.judged"), "one")
AUDITED: list[AuditJudged] = []
"""Audits that the sink reported."""
BEFORE = StoredOffset(-1, None)
_SECONDS = count()


def clock() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_SECONDS))


async def opened(folder: Path, plan: Plan) -> Curate:
    sink = Curate(folder, "test", plan, clock, AUDITED.append)
    await sink.open(TOPICS)
    return sink


def admissions(folder: Path) -> Counter[str]:
    return Counter(row.admission for row in Dataset.open(folder).rows)


def of(kind: type[Event], events: Iterable[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


STORY = log(
    *(checked(number) for number in range(6)),
    *(rejected(number) for number in range(6, 9)),
    checked(9, attempts=(attempt(0, "no"),), final=False),
    checked(9, attempts=(attempt(0, "no"), attempt(1))),
    deleted(checked(2)),
    *(judged(number, AuditTag(kind="sign"), accepted=number % 2 > 0) for number in range(20, 23)),
)


def interleaved(places: Sequence[tuple[str, int]]) -> list[Record]:
    """The story as the partitions may come: each in order, among each other in any."""
    queues: dict[tuple[str, int], list[Record]] = {}
    for one in STORY:
        queues.setdefault((one.kafka_topic, one.partition), []).append(one)
    return [queues[place].pop(0) for place in places]


@settings(max_examples=10, deadline=None)
@given(
    places=st.permutations([(one.kafka_topic, one.partition) for one in STORY]),
    lives=st.lists(st.lists(st.integers(1, 6), max_size=5), max_size=2),
)
def test_any_batching_and_redelivery_loses_and_duplicates_nothing(
    places: Sequence[tuple[str, int]], lives: Sequence[Sequence[int]]
) -> None:
    """Each life writes batches of the drawn sizes and dies; the next one reads on from where the tables say."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        output: dict[str, Event] = {}
        AUDITED.clear()
        for sizes in [*lives, [4] * len(STORY)]:
            output |= {str(event.id): event for event in asyncio.run(one_life(folder, interleaved(places), sizes))}
        dataset = Dataset.open(folder)
        rows, lines = [row.id for row in dataset.rows], [(line.kind, line.item_id) for line in dataset.ledger]
        reported = [audit.id for audit in open_audits(folder)]
    assert sorted(rows) == sorted(str(checked(number).item.id) for number in (0, 1, 3, 4, 5, 9))
    assert sorted(reported) == sorted(str(judged(number, AuditTag(kind="sign")).item.id) for number in range(20, 23))
    assert sorted(reported) == sorted(str(event.item.id) for event in AUDITED)
    assert not set(reported) & ({*rows} | {id_ for _, id_ in lines})
    assert Counter(kind for kind, _ in lines) == {"rejected": 3, "attempt": 1, "deleted": 1}
    assert len(set(lines)) == len(lines)
    assert set(rows) <= {event.key for event in of(SampleCurated, output.values())}


async def one_life(folder: Path, story: Sequence[Record], sizes: Iterable[int]) -> list[Event]:
    sink = Curate(folder, "test", plan(4), clock, AUDITED.append)
    place = await sink.open(TOPICS)
    left = [one for one in story if one.offset > place.get((one.kafka_topic, one.partition), BEFORE).offset]
    for size in sizes:
        await sink.write(left[:size])
        left = left[size:]
    return sink.outbox(None)[0]


async def test_a_writer_with_a_stale_handle_appends_no_duplicate_within_quota(
    tmp_path: Path,
) -> None:
    zombie, heir = await opened(tmp_path, plan(3)), await opened(tmp_path, plan(3))
    records = [record(checked(number), number // 2, number % 2) for number in range(6)]
    await heir.write(records[:3])
    await zombie.write(records[:2])
    await asyncio.gather(heir.write(records[3:]), zombie.write(records[2:]))
    assert Counter(row.id for row in Dataset.open(tmp_path).rows) == Counter(str(r.event.key) for r in records)
    assert admissions(tmp_path) == {"in": 3, "reserve": 3}


async def test_a_plan_changed_while_it_runs_admits_rows_of_the_reserve(tmp_path: Path) -> None:
    plans = iter([None, None, plan(3, every=3)])
    sink = Curate(tmp_path, "test", plan(1), clock, AUDITED.append, changed_plan=lambda: next(plans, None))
    await sink.open(TOPICS)
    await sink.write(log(checked(0), checked(1), checked(2)))
    assert admissions(tmp_path) == {"in": 1, "reserve": 2}
    _, mark = sink.outbox(None)
    await sink.write([])
    assert admissions(tmp_path) == {"in": 3}
    assert len(of(DatasetReleased, sink.outbox(mark)[0])) == 1


async def test_decisions_before_a_crash_are_published_with_the_same_ids(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(4))
    await sink.write(log(checked(0)))
    _, mark = sink.outbox(None)
    await sink.write(log(checked(0), checked(1), checked(2), partitions=1))
    unheard, _ = sink.outbox(mark)
    again, after = (await opened(tmp_path, plan(4))).outbox(mark)
    assert again == unheard
    assert {event.key for event in again} == {str(checked(number).item.id) for number in (1, 2)}
    assert (await opened(tmp_path, plan(4))).outbox(after) == ([], after)


async def test_a_compaction_by_somebody_else_hides_nothing_that_was_decided(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(4))
    await sink.write(log(checked(0)))
    _, mark = sink.outbox(None)
    await sink.write([record(checked(1), 1)])
    DeltaTable(tmp_path / "rows").optimize.compact()
    output, mark = sink.outbox(mark)
    assert [event.key for event in output] == [str(checked(1).item.id)]
    await sink.write([record(checked(2), 2)])
    assert [event.key for event in sink.outbox(mark)[0]] == [str(checked(2).item.id)]
    assert len(Dataset.open(tmp_path).rows) == 3


async def test_admission_fills_the_quota_and_a_raised_target_uses_the_reserve(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(3))
    events = [checked(number) for number in range(5)]
    for number, event in enumerate(events):
        await sink.write([record(event, number)])
    assert admissions(tmp_path) == {"in": 3, "reserve": 2}
    first, mark = sink.outbox(None)
    raised = await opened(tmp_path, plan(4))
    assert admissions(tmp_path) == {"in": 4, "reserve": 1}
    promoted, _ = raised.outbox(mark)
    (again,) = of(SampleCurated, promoted)
    assert isinstance(again, SampleCurated)
    assert again.summary
    assert len(again.summary) <= SUMMARY_LENGTH
    assert (again.sample_id, again.admission, again.cause.index) == (events[3].item.id, "in", 1)
    assert again.id not in {event.id for event in first}
    await raised.write([record(checked(5), 5)])
    assert admissions(tmp_path) == {"in": 4, "reserve": 2}


async def test_a_lowered_target_removes_no_row_and_releases_once(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(5))
    await sink.write(log(*(checked(number) for number in range(3)), partitions=1))
    _, mark = sink.outbox(None)
    fewer = await opened(tmp_path, plan(2))
    output, mark = fewer.outbox(mark)
    assert [(event.type, event.rows) for event in output if isinstance(event, DatasetReleased)] == [(output[0].type, 3)]
    await fewer.write([record(checked(3), 3)])
    output, _ = (await opened(tmp_path, plan(2))).outbox(mark)
    assert [type(event) for event in output] == [SampleCurated]
    assert admissions(tmp_path) == {"in": 3, "reserve": 1}
    await opened(tmp_path, plan(4))
    assert admissions(tmp_path) == {"in": 4}


async def test_an_emptied_folder_is_filled_again_from_the_log_alone(tmp_path: Path) -> None:
    story = [*log(*(checked(number) for number in range(5)), rejected(5), deleted(checked(1)))]
    sink = await opened(tmp_path / "a", plan(3, every=2, train=2))
    await sink.write(story)
    output, mark = sink.outbox(None)
    anew = Curate(tmp_path / "b", "test", plan(3, every=2, train=2), clock, AUDITED.append)
    assert await anew.open(TOPICS) == {}
    await anew.write(story)
    assert {event.id for event in anew.outbox(mark)[0]} == {event.id for event in output}
    rows = [{row.id: (row.row_hash, row.admission) for row in Dataset.open(tmp_path / x).rows} for x in "ab"]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 4


async def test_a_recreated_kafka_topic_is_read_from_0_and_repeats_no_row(tmp_path: Path) -> None:
    await (await opened(tmp_path, plan())).write(log(checked(0), checked(1), partitions=1))
    sink = Curate(tmp_path, "test", plan(), clock, AUDITED.append)
    assert await sink.open({"solution.checked": "two"}) == {}
    await sink.write(log(checked(1), checked(2), partitions=1, incarnation="two"))
    assert len(Dataset.open(tmp_path).rows) == 3
    assert await sink.open({"solution.checked": "two"}) == {
        ("solution.checked", 0): StoredOffset(offset=1, written_ms=1)
    }


async def test_a_deleted_row_stays_deleted_and_frees_its_place(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(2))
    story = log(checked(0), checked(1), deleted(checked(0)), partitions=1)
    await sink.write(story)
    await sink.write([record(checked(0), 7)])
    await (await opened(tmp_path, plan(2))).write([*story, record(checked(0), 8), record(checked(2), 9)])
    assert {row.problem for row in Dataset.open(tmp_path).rows} == {"What is 1?", "What is 2?"}
    assert admissions(tmp_path) == {"in": 2}


async def test_a_deletion_that_arrives_before_its_row_holds(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(2))
    await sink.write(log(deleted(checked(0))))
    await sink.write(log(checked(0)))
    assert len(Dataset.open(tmp_path).rows) == 0


async def test_a_release_publishes_what_it_says_of_belief_and_moves_no_row(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(5, every=2))
    await sink.write(log(checked(0), checked(1), rejected(9)))
    before = {row.id: (row.views, row.admission) for row in Dataset.open(tmp_path).rows}
    [first] = of(BeliefEstimated, sink.outbox(None)[0])
    assert isinstance(first, BeliefEstimated)
    assert (first.release, first.estimate.items) == (1, 3)
    assert Parameters.of(first.estimate.parameters).values == first.estimate.parameters
    assert first.estimate.cautious.wrong_keys > first.estimate.parameters.wrong_keys
    await sink.write(log(*(judged(number, AuditTag(kind="natural")) for number in range(20, 24))))
    [again] = of(BeliefEstimated, (await opened(tmp_path, plan(5, every=2))).outbox(None)[0])
    assert again.model_dump_json() == first.model_dump_json(), "a repetition is another estimate"
    assert {row.id: (row.views, row.admission) for row in Dataset.open(tmp_path).rows} == before


async def test_releases_and_triggers_are_on_time_with_stable_ids(tmp_path: Path) -> None:
    wanted = plan(5, every=2, train=4)
    sink = await opened(tmp_path, wanted)
    await sink.write(log(rejected(9, "repeat")))
    for number in range(6):
        await sink.write([record(checked(number), number)])
    output, _ = sink.outbox(None)
    releases = [event for event in output if isinstance(event, DatasetReleased)]
    assert [(event.release, event.rows) for event in releases] == [(1, 2), (2, 4), (3, 5)]
    triggers = [event for event in output if isinstance(event, TrainingTriggered)]
    assert [(event.release, event.rows) for event in triggers] == [(2, 4)]
    for event in releases:
        assert len(Dataset.open(tmp_path, event.table_version).rows) == event.rows
    path = tmp_path / "releases" / "2.json"
    described = path.read_text()
    assert json.loads(described)["rows_by_subject"] == {"mathematics": {"in": 4}}
    assert json.loads(described)["funnel"] == {"curated": 4, "rejected": {"repeat": 1}}
    path.unlink()
    assert (await opened(tmp_path, wanted)).outbox(None)[0] == output
    assert path.read_text() == described


@pytest.mark.parametrize(
    ("policy", "rows"),
    [
        ({"train_after_rows": 3}, [3, 6]),
        ({"train_after_days": 2}, [3, 5]),
        ({"train_at": 0.5}, [4]),
        ({"train_after_rows": 4, "train_after_days": 3, "train_at": 0.5}, [4]),
    ],
)
async def test_training_is_triggered_once_for_each_release_that_is_due(
    tmp_path: Path, policy: dict[str, float], rows: list[int]
) -> None:
    """A row a day, each written by another life, which says everything again."""
    requested = plan(8).model_copy(update={"releases": Releases(**policy)})
    output: list[Event] = []
    for day in range(6):
        sink = Curate(tmp_path, "test", requested, lambda: datetime(2026, 1, 1 + day, tzinfo=UTC), AUDITED.append)  # noqa: B023
        await sink.open(TOPICS)
        await sink.write([record(checked(day), day)])
        output += sink.outbox(None)[0]
    triggers = {event.id: event for event in output if isinstance(event, TrainingTriggered)}
    releases = {event.id: event for event in output if isinstance(event, DatasetReleased)}
    assert [event.rows for event in triggers.values()] == rows
    assert [event.release for event in triggers.values()] == [event.release for event in releases.values()]


async def test_of_two_contents_under_one_id_the_first_is_the_row(tmp_path: Path) -> None:
    dropped: list[SolutionChecked] = []
    sink = Curate(tmp_path, "test", plan(5), clock, AUDITED.append, on_superseded=dropped.append)
    await sink.open(TOPICS)
    first, second = checked(1), checked(1, attempts=(attempt(text="another way"),))
    assert first.item.id == second.item.id
    await sink.write([record(first, 0), record(first, 1), record(second, 2)])
    await sink.write([record(second, 3), record(first, 4)])
    (row,) = Dataset.open(tmp_path).rows.columns("row_hash")
    alone = Curate(tmp_path / "alone", "test", plan(5), clock, AUDITED.append)
    await alone.open(TOPICS)
    await alone.write([record(first, 0)])
    (expected,) = Dataset.open(tmp_path / "alone").rows.columns("row_hash")
    assert row == expected
    assert dropped == [second, second]


async def test_a_release_comes_by_time_without_a_further_row(tmp_path: Path) -> None:
    requested = plan(100).model_copy(update={"releases": Releases(every_days=1)})
    released = []
    for hour, rows in ((0, [0]), (23, []), (25, []), (26, [1]), (48, []), (50, []), (90, [])):
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        sink = Curate(tmp_path, "test", requested, lambda: now, AUDITED.append)  # noqa: B023
        await sink.open(TOPICS)
        await sink.write([record(checked(number), number) for number in rows])
        released.append(sum(isinstance(event, DatasetReleased) for event in sink.outbox(None)[0]))
    assert released == [0, 0, 1, 1, 1, 2, 2]


async def test_a_batch_of_hundreds_says_every_row(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(500))
    await sink.write(log(*(checked(number) for number in range(500)), partitions=8))
    output, _ = sink.outbox(None)
    assert (len(of(SampleCurated, output)), len(of(DatasetReleased, output))) == (500, 1)


async def test_a_dataset_of_a_newer_software_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setitem(SETTINGS, "chimera.schema_version", "99")
        await opened(tmp_path, plan())
    with pytest.raises(Refusal, match="schema version 99"):
        await opened(tmp_path, plan())
    with pytest.raises(Refusal, match="schema version 99"):
        Dataset.open(tmp_path)


@pytest.mark.parametrize(
    "protocol",
    [
        {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["appendOnly", "notYetInvented"]},
        {"minReaderVersion": 3, "minWriterVersion": 7, "writerFeatures": ["new"], "readerFeatures": ["new"]},
        {"minReaderVersion": 1, "minWriterVersion": 8},
        {"minReaderVersion": 4, "minWriterVersion": 8},
    ],
)
async def test_a_table_of_a_newer_delta_version_is_refused_unchanged(
    tmp_path: Path, protocol: dict[str, object]
) -> None:
    sink = await opened(tmp_path, plan())
    await sink.write([record(checked(0), 0)])
    newer = tmp_path / "rows" / "_delta_log" / f"{2:020}.json"
    newer.write_text(json.dumps({"protocol": protocol}) + "\n")
    with pytest.raises(Refusal, match=r"^cannot [^\n]*\. A newer version wrote it: update Chimera"):
        await sink.write([record(checked(1), 1)])
    with pytest.raises(Refusal, match="A newer version wrote it"):
        await (await opened(tmp_path, plan())).write([record(checked(1), 1)])
    newer.unlink()
    await (await opened(tmp_path, plan())).write([record(checked(1), 1)])
    assert len(Dataset.open(tmp_path).rows) == 2


async def test_a_failing_disk_is_transient_and_leaves_nothing_half_visible(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan())
    shutil.move(tmp_path / "rows", tmp_path / "aside")
    (tmp_path / "rows").write_text("no folder")
    with pytest.raises(Transient):
        await sink.write(log(checked(0)))
    (tmp_path / "rows").unlink()
    shutil.move(tmp_path / "aside", tmp_path / "rows")
    await sink.write(log(checked(0)))
    assert len(Dataset.open(tmp_path).rows) == 1


SUBJECTS = ("mathematics", "physics", "history")


@given(st.integers(1, 12), st.lists(st.sampled_from([*SUBJECTS, "biology"])))
def test_quotas_are_met_exactly_and_never_exceeded(rows: int, arrivals: list[str]) -> None:
    wanted = plan(rows, *SUBJECTS).quotas()
    quotas = Quotas(plan(rows, *SUBJECTS), {}, {})
    decided = Counter((subject, quotas.admit(subject, ("sft",))) for subject in arrivals)
    for subject, arrived in Counter(arrivals).items():
        assert decided[subject, "in"] == min(arrived, wanted.get(subject, 0))
    assert quotas.full == all(Counter(arrivals)[subject] >= rows for subject, rows in wanted.items())
    assert quotas.admit("mathematics", ("rl",)) == "aside"


async def test_rows_of_a_full_difficulty_bin_wait_in_reserve(tmp_path: Path) -> None:
    """Two of four may be easy; nobody knows how hard the fourth is, and a restart forgets nothing."""
    easy, hard, unknown = Probe(attempts=4, hits=3), Probe(attempts=4, hits=0), Probe(attempts=4, hits=0, ungraded=4)
    probes = (easy, easy, easy, hard, easy, unknown, hard)
    arrived = [_probed(number, probe) for number, probe in enumerate(probes)]
    sink = await opened(tmp_path, limited(4, 0.5))
    await sink.write(arrived[:3])
    sink = await opened(tmp_path, limited(4, 0.5))
    await sink.write(arrived[3:])
    assert admitted(tmp_path) == [0, 1, 3, 5]
    await opened(tmp_path, limited(6, 0.5))
    assert admitted(tmp_path) == [0, 1, 2, 3, 5, 6]
    await opened(tmp_path, plan(7))
    assert admitted(tmp_path) == [0, 1, 2, 3, 4, 5, 6]


def limited(rows: int, easy: float) -> Plan:
    solving, difficulty = Solving(probe_attempts=4), Difficulty(at_most={"easy": easy})
    return plan(rows).model_copy(update={"solving": solving, "difficulty": difficulty})


def admitted(folder: Path) -> list[int]:
    rows = Dataset.open(folder).rows.select("admission = 'in'")
    return sorted(int(row.problem.removeprefix("What is ").removesuffix("?")) for row in rows)


def _probed(number: int, probe: Probe) -> Record:
    event = checked(number)
    return record(event.with_(item=event.item.with_(probe=probe)), number)


@given(st.lists(st.integers(0, 7), min_size=1))
def test_releases_follow_from_the_rows_however_they_are_cut(batches: list[int]) -> None:
    requested, progress, releases = plan(10, every=3), Progress(), 0
    quotas = Quotas(requested, {}, {})
    for rows in batches:
        admitted = sum(quotas.admit("mathematics", ("sft",)) == "in" for _ in range(rows))
        decision = decide(progress, admitted, quotas, requested, clock())
        progress, releases = decision.progress, releases + decision.release
    assert progress.releases == releases
    assert progress.unreleased < 3
    assert (progress.target == 10) == quotas.full


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 3)), max_size=30))
def test_training_comes_with_the_first_row_after_so_many_days(steps: list[tuple[int, float]]) -> None:
    requested = plan(1000).model_copy(update={"releases": Releases(train_after_days=2)})
    progress, now, since = Progress(), datetime(2026, 1, 1, tzinfo=UTC), None
    for rows, days in steps:
        now += timedelta(seconds=int(days * 86_400))
        decision = decide(progress, rows, Quotas(requested, {}, {}), requested, now)
        due = rows > 0 and since is not None and now - since >= timedelta(days=2)
        assert decision.train == decision.release == due
        since = now if due or (rows and since is None) else since
        progress = decision.progress


def test_training_comes_once_when_every_subject_has_its_share() -> None:
    requested = plan(20, "mathematics", "physics").model_copy(update={"releases": Releases(train_at=0.5)})
    progress, admitted, trained = Progress(), Counter[str](), []
    for subject in ["mathematics"] * 10 + ["physics"] * 10:
        quotas = Quotas(requested, admitted, {})
        quotas.admit(subject, ("sft",))
        decision = decide(progress, 1, quotas, requested, clock())
        progress, admitted = decision.progress, Counter(quotas.admitted)
        if decision.train:
            trained.append(dict(admitted))
    assert trained == [{"mathematics": 10, "physics": 5}]


@pytest.mark.parametrize(
    ("tier", "correct", "flaws", "entered"),
    [
        ("verified", True, (), ("sft", "rl")),
        ("verified", True, ("too_long",), ("rl",)),
        ("verified", False, (), ("rl",)),
        ("verified", None, (), ("rl",)),
        ("plausible", True, (), ("sft", "rl")),
        ("plausible", False, (), ("rl",)),
        ("unsolved", True, (), ()),
    ],
)
def test_views_follow_the_plan(tier: str, correct: bool | None, flaws: tuple[str, ...], entered: tuple[str]) -> None:
    assert assign_views(Verification(), tier, correct, flaws) == entered


async def test_held_out_rows_are_in_no_view_and_count_for_nothing(tmp_path: Path) -> None:
    wanted = plan(3).model_copy(update={"held_out": HeldOut(share=0.5)})
    sink = await opened(tmp_path, wanted)
    events = [asking(number, f"What is {'abcdefghijkl'[number]} of {number}?") for number in range(12)]
    await sink.write(log(*events))
    rows = [*Dataset.open(tmp_path).rows]
    held = [row for row in rows if row.split == "held_out"]
    assert 0 < len(held) < 9
    assert {(row.admission, row.views) for row in held} == {("aside", ())}
    assert admissions(tmp_path) == {"in": 3, "aside": len(held), "reserve": 9 - len(held)}
    reported = [event for event in sink.outbox(None)[0] if isinstance(event, SampleCurated)]
    assert {event.key: event.split for event in reported} == {row.id: row.split for row in rows}
    assert {event.key for event in reported if event.summary is None} == {row.id for row in held}
    plain = await opened(tmp_path / "plain", plan(3))
    await plain.write(log(*events))
    assert {row.row_hash for row in Dataset.open(tmp_path / "plain").rows} == {row.row_hash for row in rows}


def asking(number: int, statement: str) -> SolutionChecked:
    """A solution of a problem in these words."""
    event = checked(number)
    return event.with_(item=event.item.with_(problem=event.item.written.with_(statement=statement)))


async def test_the_place_of_a_deleted_row_is_taken_from_the_reserve_together(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(2))
    await sink.write(log(checked(0), checked(1), checked(2), partitions=1))
    await sink.write(log(deleted(checked(0))))
    assert admissions(tmp_path) == {"in": 2}
    output = [event for event in sink.outbox(None)[0] if isinstance(event, SampleCurated) and event.cause.index == 1]
    assert [event.sample_id for event in output] == [checked(2).item.id]


def imported(number: int, counts: bool, tier: str = "verified", solved: str = "yes") -> SolutionChecked:
    """An imported problem, with its own sound solution and an attempt of the solver."""
    event = checked(number, tier=tier)
    own = attempt(0).with_(provenance=call("import"))
    source = ImportSource(file="own.jsonl", line=number, form="columns", counts=counts)
    lineage = tuple(step.with_(source=source) for step in event.item.lineage)
    return event.with_(item=event.item.with_(lineage=lineage, attempts=(own, attempt(1, solved))))


async def test_imported_rows_have_views_of_their_own_unless_they_count(tmp_path: Path) -> None:
    sink = await opened(tmp_path, plan(2))
    own, theirs = "imported", "imported_rl"
    plausible = imported(2, counts=False, tier="plausible", solved="no")
    await sink.write(log(imported(0, counts=False), imported(1, counts=True), plausible))
    rows = {row.id: row for row in Dataset.open(tmp_path).rows}
    found = [(row.admission, row.views) for row in (rows[str(checked(n).item.id)] for n in range(3))]
    # the hit of a solution that came with the key does not confirm a plausible key
    assert found == [("aside", (own, theirs)), ("in", ("sft", "rl")), ("aside", (theirs,))]
    curated = [event for event in sink.outbox(None)[0] if isinstance(event, SampleCurated)]
    assert [event.imported for event in curated] == [True] * 3
    assert "Attempt 1" in rows[str(checked(0).item.id)].reasoning
