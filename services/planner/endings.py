"""State transitions of the planner, one for each event. They are idempotent.

The end of a problem counts only while the problem is in flight or parked, and removes it from there.
"""

from collections.abc import Iterable
from uuid import UUID

from schemas.events import ProblemParked, ProblemRejected, SampleCurated, SampleDeleted, SubjectRequested, TopicExpanded
from schemas.events.base import Cause
from schemas.identity import derive, normal_form
from schemas.item import Topic
from schemas.outcomes import Admission
from schemas.spend import added, spent
from services.planner.state import CLOSE_AFTER, State, TopicState

DEFECT_REASONS = frozenset(
    {"malformed", "empty", "too_short", "too_long", "answer_too_long", "multiple_choice", "proof", "leak"}
    | {"contaminated", "other_language"}
    | {"ill_posed", "not_self_contained", "not_unique", "off_topic", "wrong_key", "key_disputed"}
)
"""Reasons of rejection that count against a topic. Unsolved, hard and too easy do not."""
REPEAT_REASONS = frozenset({"repeat", "near_repeat", "same_meaning", "variant"})
"""Reasons that show that a topic is exhausted: the same problem in any form, or with other numbers once too often."""


_WITHOUT_DETAIL = REPEAT_REASONS | {"contaminated"}
"""Reasons whose details are ids, or name a question of a benchmark."""
DETAIL_LENGTH, BEGINNING_LENGTH = 160, 120
"""Characters of a rejection that are stored: of its detail, and of its problem."""

EXHAUSTED_AFTER = 0.1
"""A pass that returns less than this share of new topics is the last one."""


MAX_FAILURES = 3
"""Topic requests in a row that may fail before the subject gets no further topics."""


def subject_id(root: UUID, subject: str) -> UUID:
    """Return the parent id of all requests about a subject."""
    return derive(root, f"subject/{normal_form(subject)}")


def expand(state: State, event: TopicExpanded, root: UUID) -> State:
    """Add new topics. The reply to the latest pass ends the pass; with few new topics the subject is exhausted.

    A failed pass is repeated with another seed, up to a limit.
    """
    subject = state.subject(event.subject)
    state = add_topics(state, event.subject, event.topics, root)
    new = len(state.subject(event.subject).topics) - len(subject.topics)
    cause = Cause(parent=subject_id(root, event.subject), role="planner", index=subject.passes - 1)
    if subject.expanding and event.cause.parent == SubjectRequested.derive_id(cause):
        failures = (subject.failures or 0) + 1 if event.failed else None
        exhausted = failures >= MAX_FAILURES if failures else new < EXHAUSTED_AFTER * event.wanted
        state = state.with_subject(event.subject, expanding=False, exhausted=exhausted, failures=failures)
        state = state.with_(spent=added([*state.spent, *spent(event.calls)]))
    return state


def add_topics(state: State, name: str, topics: Iterable[Topic], root: UUID) -> State:
    """Add the new ones of some topics to a subject."""
    existing = {topic.topic.id(root) for topic in state.subject(name).topics}
    new = {topic.id(root): TopicState(topic=topic) for topic in topics if topic.id(root) not in existing}
    return state.with_subject(name, topics=(*state.subject(name).topics, *new.values())) if new else state


def curate(state: State, event: SampleCurated) -> State:
    """End a problem that became a row, or admit a row from the reserve."""
    if event.held_out:
        return _hold_out(state, event)
    row, admitted, reserve = event.sample_id, event.admission == Admission.IN, event.admission == Admission.RESERVE
    if event.before:
        return _move(state, event, event.before)
    if event.imported:
        return _add_imported(state, event)
    if topic_ref := state.topic_of(row):
        name, subject = topic_ref[0], state.subject(topic_ref[0])
        topic = state.topic(topic_ref)
        new = [event.summary] if event.summary and (admitted or reserve) else []
        state = state.without(row).with_topic(
            topic_ref,
            defects_in_a_row=0,
            repeats_in_a_row=0,
            ended=topic.ended + 1,
            good=topic.good + admitted,
            summaries=(*topic.summaries, *new)[-state.summaries_per_topic :],
        )
        state = state.with_end(topic_ref, row=admitted or reserve)
        if event.spent is not None:
            state = state.with_costs(event.spent)
        if event.example and (admitted or reserve):
            state = state.with_example(row, topic_ref, event.example)
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


def _move(state: State, event: SampleCurated, before: str) -> State:
    """Apply the move of a row by a reverification: a row that leaves `in` is missing again."""
    moves = state.moves or frozenset()
    row, name = event.sample_id, event.subject
    if event.id in moves or row in state.deleted:
        return state
    state = state.with_(moves=moves | {event.id})
    if row in state.reserve and event.admission != Admission.RESERVE:
        state = _unreserve(state, row)
    change = (event.admission == Admission.IN) - (before == Admission.IN)
    return state.with_subject(name, admitted=state.subject(name).admitted + change)


def _add_imported(state: State, event: SampleCurated) -> State:
    """Count an imported row that is admitted or in reserve, which says nothing about the yield of topics."""
    row, name = event.sample_id, event.subject
    counted = state.imported or frozenset()
    if row in counted or row in state.deleted:
        return state
    if event.admission == Admission.IN:
        state = _unreserve(state, row) if row in state.reserve else state
        state = state.with_(imported=counted | {row}, imported_count=len(counted) + 1)
        return state.with_subject(name, admitted=state.subject(name).admitted + 1)
    if event.admission == Admission.RESERVE and row not in state.reserve:
        state = state.with_(reserve={**state.reserve, row: name})
        return state.with_subject(name, reserve=state.subject(name).reserve + 1)
    return state


def _hold_out(state: State, event: SampleCurated) -> State:
    """End a problem that became a held-out row: its slot and its cost count, its yield and summary do not."""
    if (topic_ref := state.topic_of(event.sample_id)) is None:
        return state
    state = state.without(event.sample_id).with_topic(topic_ref, held_out=state.topic(topic_ref).held_out + 1)
    state = state.with_end(topic_ref, row=True)
    return state.with_costs(event.spent) if event.spent is not None else state


def reject(state: State, event: ProblemRejected) -> State:
    """End a rejected problem. A defect or a repeat counts against its topic."""
    if (topic_ref := state.topic_of(event.item.id)) is None:
        return state
    topic, most = state.topic(topic_ref), state.rejections_per_topic
    rejections = (*(topic.rejections or ()), _describe(event))[-most:] if most else None
    state = state.without(event.item.id).with_topic(
        topic_ref, **_rejection_changes(topic, event.reason), rejections=rejections
    )
    state = state.with_costs(spent(event.item.calls)).with_end(topic_ref, row=False)
    return state.with_subject(topic_ref[0], ended=state.subject(topic_ref[0]).ended + 1)


def _describe(event: ProblemRejected) -> str:
    """Return reason, detail and beginning of a rejected problem in a line, for the writer of the next one."""
    detail = "" if event.reason in _WITHOUT_DETAIL else " ".join(event.detail.split())[:DETAIL_LENGTH]
    problem = " ".join(event.item.problem.statement.split())[:BEGINNING_LENGTH] if event.item.problem else ""
    return ": ".join(filter(None, (event.reason, detail, problem)))


def _rejection_changes(topic: TopicState, reason: str) -> dict[str, object]:
    """Changes of a topic after a rejection. Repeats do not interrupt a series of defects, nor the reverse."""
    is_defect, is_repeat = reason in DEFECT_REASONS, reason in REPEAT_REASONS
    defects = topic.defects_in_a_row + 1 if is_defect else topic.defects_in_a_row * is_repeat
    repeats = topic.repeats_in_a_row + 1 if is_repeat else topic.repeats_in_a_row * is_defect
    limit = max(CLOSE_AFTER, topic.good)  # a topic with many good rows has six defects in a row by chance
    closed = "defects" if defects >= limit else "repeats" if repeats >= CLOSE_AFTER else topic.closed
    return {
        "ended": topic.ended + 1,
        "defects_in_a_row": defects,
        "repeats_in_a_row": repeats,
        "closed": closed,
    }


def park(state: State, event: ProblemParked) -> State:
    """Park a problem until a person replays or drops it. It frees its slot, and still counts when it ends."""
    if (topic_ref := state.in_flight.get(event.problem_id)) is None:
        return state
    return state.without(event.problem_id).with_parked({**state.parked, event.problem_id: topic_ref})


def delete(state: State, event: SampleDeleted) -> State:
    """Remove a deleted row, which becomes missing again. The deletion may arrive before the row."""
    row = event.sample_id
    if row in state.deleted:
        return state
    state = state.with_(deleted=state.deleted | {row}).without_example(row)
    if state.topic_of(row):
        return state.without(row)
    if row in state.reserve:
        return _unreserve(state, row)
    if event.admission == Admission.IN:
        return state.with_subject(event.subject, admitted=state.subject(event.subject).admitted - 1)
    return state


def _unreserve(state: State, row: UUID) -> State:
    name = state.reserve[row]
    rest = {key: subject for key, subject in state.reserve.items() if key != row}
    return state.with_(reserve=rest).with_subject(name, reserve=state.subject(name).reserve - 1)
