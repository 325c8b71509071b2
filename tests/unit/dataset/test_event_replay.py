"""What the log says of rows and releases is the same in whatever order, and however often, it is heard."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import DatasetReleased, Event, SampleCurated, TrainingTriggered
from schemas.identity import derive
from shared.dataset import Progress
from shared.dataset.event_replay import AdmissionReplay
from tests.support.items import FACTORY, checked, deleted


def at(second: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


def second(number: int) -> int:
    return int(at(number).timestamp())


def curated(number: int, admission: str, index: int = 0) -> Event:
    event = checked(number)
    fields = {"plan": "test", "subject": "mathematics", "topic": "lens spaces", "tier": "verified", "correct": True}
    reported = {
        **fields,
        "sample_id": event.item.id,
        "views": ("sft",),
        "admission": admission,
        "row_hash": str(number),
    }
    return SampleCurated.after(event, "aggregator", index, **reported)


def release(kind: type[Event], number: int, rows: int) -> Event:
    parent = derive(FACTORY, "releases")
    return kind.root(parent, "aggregator", number, plan="test", release=number, table_version=number, rows=rows)


STORY = [
    (curated(0, "in"), at(0)),
    (curated(1, "reserve"), at(0)),
    (release(DatasetReleased, 1, 1), at(1)),
    (release(TrainingTriggered, 1, 1), at(1)),
    (curated(2, "aside"), at(2)),
    (deleted(checked(0)), at(3)),
    (curated(1, "in", 1), at(4)),
    (curated(3, "in"), at(5)),
    (release(DatasetReleased, 2, 2), at(5)),
    (curated(4, "in"), at(6)),
]


@given(st.permutations(STORY), st.lists(st.sampled_from(STORY)))
def test_the_order_and_repetitions_do_not_matter(
    story: list[tuple[Event, datetime]], again: list[tuple[Event, datetime]]
) -> None:
    output = AdmissionReplay()
    for event, when in [*story, *((event, when + timedelta(days=1)) for event, when in again)]:
        output.apply(event, when)
    admissions = {key: word.admission for key, word in output.curated.items()}
    rows = dict(zip(range(5), ("in", "in", "aside", "in", "in"), strict=True))
    assert admissions == {str(checked(number).item.id): admission for number, admission in rows.items()}
    assert output.curated_at[str(checked(1).item.id)] == at(0)
    assert list(output.deleted) == [str(checked(0).item.id)]
    assert output.progress() == Progress(releases=2, unreleased=1, untrained=3, target=2, training_since=second(1))


def test_after_a_deletion_the_target_is_to_be_reached_again() -> None:
    output = AdmissionReplay()
    for event, when in STORY[:6]:
        output.apply(event, when)
    assert output.progress() == Progress(releases=1, unreleased=0, untrained=0, target=0, training_since=second(1))
    assert AdmissionReplay().progress() == Progress()
