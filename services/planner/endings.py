"""What each event does to the state. Said twice, an event changes nothing the second time.

An ending counts if its problem is in flight or parked, and takes it from there: that is all the memory it needs.
"""

from collections.abc import Iterable
from uuid import UUID

from schemas.events import ProblemParked, ProblemRejected, SampleCurated, SampleDeleted, SubjectRequested, TopicExpanded
from schemas.events.base import Cause
from schemas.identity import derive, normal_form
from schemas.item import Topic
from schemas.spend import added, spent
from services.planner.state import PATIENCE, State, TopicState

DEFECTS = frozenset(
    {"malformed", "empty", "too_short", "too_long", "answer_too_long", "multiple_choice", "proof", "leak"}
    | {"contaminated"}
    | {"ill_posed", "not_self_contained", "not_unique", "off_topic", "wrong_key", "key_disputed"}
)
"""Reasons that speak against a topic. That a problem is unsolved, hard or too easy does not."""
REPEAT = "repeat"
"""The reason that says that a topic has been asked enough."""


EXHAUSTED_AFTER = 0.1
"""A pass that brings less than this share of new topics is the last one."""


def subject_id(root: UUID, subject: str) -> UUID:
    """Parent of everything that is asked about a subject."""
    return derive(root, f"subject/{normal_form(subject)}")


def expand(state: State, event: TopicExpanded, root: UUID) -> State:
    """Add the topics that are new. The latest pass ends with its own answer; the subject is dry if that had few."""
    subject = state.subject(event.subject)
    state = add_topics(state, event.subject, event.topics, root)
    new = len(state.subject(event.subject).topics) - len(subject.topics)
    cause = Cause(parent=subject_id(root, event.subject), role="planner", index=subject.passes - 1)
    if subject.expanding and event.cause.parent == SubjectRequested.derive_id(cause):
        state = state.with_subject(event.subject, expanding=False, dry=new < EXHAUSTED_AFTER * event.wanted)
        state = state.with_(spent=added([*state.spent, *spent(event.calls)]))
    return state


def add_topics(state: State, name: str, topics: Iterable[Topic], root: UUID) -> State:
    """Add those topics of a subject that are new."""
    known = {known.topic.id(root) for known in state.subject(name).topics}
    new = {topic.id(root): TopicState(topic=topic) for topic in topics if topic.id(root) not in known}
    return state.with_subject(name, topics=(*state.subject(name).topics, *new.values())) if new else state


def curate(state: State, event: SampleCurated) -> State:
    """The problem is a row. A row in reserve may be admitted later."""
    if event.held_out:
        return _hold_out(state, event)
    row, admitted, reserve = event.sample_id, event.admission == "in", event.admission == "reserve"
    if place := state.place(row):
        name, subject = place[0], state.subject(place[0])
        topic = state.topic(place)
        told = [event.summary] if event.summary and (admitted or reserve) else []
        state = state.without(row).with_topic(
            place,
            defects_in_a_row=0,
            repeats_in_a_row=0,
            ended=topic.ended + 1,
            good=topic.good + admitted,
            summaries=(*topic.summaries, *told)[-state.kept :],
        )
        if event.spent is not None:
            state = state.with_costs(event.spent)
        if reserve:
            state = state.with_(reserve={**state.reserve, row: name})
        return state.with_subject(
            name,
            admitted=subject.admitted + admitted,
            reserve=subject.reserve + reserve,
            ended=subject.ended + 1,
            good=subject.good + admitted,
        )
    if admitted and row in state.reserve:
        name = state.reserve[row]
        subject = state.subject(name)
        return _unreserve(state, row).with_subject(name, admitted=subject.admitted + 1, good=subject.good + 1)
    return state


def _hold_out(state: State, event: SampleCurated) -> State:
    """The place is free, the cost counts, and the topic has one more: no yield and no summary tells of the row."""
    if (place := state.place(event.sample_id)) is None:
        return state
    state = state.without(event.sample_id).with_topic(place, held_out=state.topic(place).held_out + 1)
    return state.with_costs(event.spent) if event.spent is not None else state


def reject(state: State, event: ProblemRejected) -> State:
    """The problem is none. What it ended of counts against its topic if it is a defect or a repeat."""
    if (place := state.place(event.item.id)) is None:
        return state
    subject = state.subject(place[0])
    state = state.without(event.item.id).with_topic(place, **_judged(state.topic(place), event.reason))
    state = state.with_costs(spent(event.item.calls))
    return state.with_subject(place[0], ended=subject.ended + 1)


def _judged(topic: TopicState, reason: str) -> dict[str, object]:
    """What a rejection changes. A repeat is no defect, and does not end a row of them."""
    defects = topic.defects_in_a_row + 1 if reason in DEFECTS else topic.defects_in_a_row if reason == REPEAT else 0
    repeats = topic.repeats_in_a_row + 1 if reason == REPEAT else topic.repeats_in_a_row if reason in DEFECTS else 0
    patience = max(PATIENCE, topic.good)  # where many were good, six bad ones in a row come by chance
    closed = "defects" if defects >= patience else "repeats" if repeats >= PATIENCE else topic.closed
    return {
        "ended": topic.ended + 1,
        "defects_in_a_row": defects,
        "repeats_in_a_row": repeats,
        "closed": closed,
    }


def park(state: State, event: ProblemParked) -> State:
    """The problem waits for a person and frees its slot. It still counts when it ends after all."""
    if (place := state.in_flight.get(event.problem_id)) is None:
        return state
    return state.without(event.problem_id).with_(parked={**state.parked, event.problem_id: place})


def delete(state: State, event: SampleDeleted) -> State:
    """The row is gone, and its place free again. It may be heard of before the row is."""
    row = event.sample_id
    if row in state.deleted:
        return state
    state = state.with_(deleted=state.deleted | {row})
    if state.place(row):
        return state.without(row)
    if row in state.reserve:
        return _unreserve(state, row)
    if event.admission == "in":
        return state.with_subject(event.subject, admitted=state.subject(event.subject).admitted - 1)
    return state


def _unreserve(state: State, row: UUID) -> State:
    name = state.reserve[row]
    rest = {key: subject for key, subject in state.reserve.items() if key != row}
    return state.with_(reserve=rest).with_subject(name, reserve=state.subject(name).reserve - 1)
