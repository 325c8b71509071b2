"""Requests as many problems, of the topics that lack rows, as the measured yield implies.

A control loop: every end of a problem updates the state; then new requests bring the problems in flight up to the
wanted number, within the plan's limit. A request is a pure function of plan, state, topic and number.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from schemas.config.plan import Plan
from schemas.events import (
    BudgetReached,
    EvaluationCompleted,
    Event,
    PlanAdopted,
    ProblemParked,
    ProblemRejected,
    ProblemRequested,
    SampleCurated,
    SampleDeleted,
    SubjectRequested,
    TopicExpanded,
)
from schemas.identity import derive, factory_id
from schemas.item import Easier, Example, Topic
from schemas.spend import out_of
from services.planner.ability import read_ability
from services.planner.budget import LimitUse, allowed_in_flight
from services.planner.demand import PICK_PERIOD, allocate, missing_rows, next_topic_ref, pick, wanted_in_flight
from services.planner.endings import add_topics, curate, delete, expand, park, reject, subject_id
from services.planner.floor import is_paused, pause_topic, reopen, wants_new_topics
from services.planner.hints import STRUCTURES, TECHNIQUES
from services.planner.pauses import PARKED, PAUSES, YIELD
from services.planner.state import State, TopicRef

log = logging.getLogger(__name__)

EXAMPLES = 2
"""Accepted problems of other topics in a request."""
MAX_TOPICS_PER_PASS = 100
"""Most topics requested in one pass: a model repeats itself in a longer list. Further passes request the rest."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Follows one plan in one factory."""

    state_type: ClassVar[type[State]] = State

    plan: Plan
    factory: str
    own_topics: Sequence[Topic] = ()
    """User-supplied topics. They are added before any topic is requested."""

    @property
    def root(self) -> UUID:
        return factory_id(self.factory)

    def start(self, state: State | None, now: datetime) -> tuple[State, Sequence[Event]]:
        """Start, or resume from a snapshot. A changed plan is adopted and applies from now on."""
        state = state or State()
        for name in self.plan.subjects:
            state = add_topics(state, name, [topic for topic in self.own_topics if topic.subject == name], self.root)
        if state.plan_hash == self.plan.hash:
            return self._top_up(state)
        adopted = PlanAdopted.root(derive(self.root, "plan"), "planner", state.adoptions, plan=self.plan)
        state = reopen(state)
        reopened = {name: subject.with_(exhausted=False, failures=None) for name, subject in state.subjects.items()}
        state = state.with_(plan_hash=self.plan.hash, adoptions=state.adoptions + 1, subjects=reopened)
        state, events = self._top_up(state)
        return state, (adopted, *events)

    def __call__(self, state: State, event: Event, now: datetime) -> tuple[State, Sequence[Event]]:
        match event:
            case TopicExpanded():
                if event.failed:
                    log.warning("a request for topics of %s failed: %s", event.subject, event.failed)
                state = expand(state, event, self.root)
            case SampleCurated():
                ref = state.topic_of(event.sample_id)
                state = pause_topic(self.plan, curate(state, event), ref)
            case ProblemRejected():
                state, harder = self._reject(state, event)
                state, events = self._top_up(state)
                return state, [*harder, *events]
            case ProblemParked():
                state = park(state, event)
            case SampleDeleted():
                state = delete(state, event)
            case EvaluationCompleted(plan=self.plan.name):
                state = state.with_(ability=read_ability(event))
            case _:  # an evaluation of a model that was trained for another plan
                return state, ()
        return self._top_up(state)

    def _top_up(self, state: State) -> tuple[State, Sequence[Event]]:
        missing = missing_rows(self.plan, state)
        events: list[Event] = []
        if any(missing.values()) and allowed_in_flight(self.plan, state)[0]:
            state, events = self._refresh_topics(state)
        state = self._report_pause(state, is_needed=any(missing.values()))
        room, limit = self._room(state)
        for name, lack in missing.items() if room else ():
            if lack and self._needs_topics(state, name):
                state, event = self._request_topics(state, name)
                events.append(event)
        needed = {
            name: number
            for name, number in wanted_in_flight(self.plan, state).items()
            if state.subject(name).has_open_topic
        }
        in_flight = Counter(name for name, _ in state.in_flight.values())
        for name in allocate(room, needed, in_flight):
            state, event = self._request_problem(state, next_topic_ref(self.plan, state, name))
            events.append(event)
        in_flight = Counter(name for name, _ in state.in_flight.values())
        more = (
            any(needed[name] > in_flight[name] for name in needed)
            if room
            else any(missing_rows(self.plan, state).values())
        )
        state, reports = self._report_budget(state, limit if more and in_flight.total() >= room else None)
        return state, [*events, *reports]

    def _refresh_topics(self, state: State) -> tuple[State, list[Event]]:
        """Request new topics for every subject when all together yield too few rows."""
        events: list[Event] = []
        if wants_new_topics(self.plan, state):
            for name, wanted in self.plan.subjects.items():
                subject = state.subject(name)
                if wanted.topics and not subject.exhausted and not subject.expanding:
                    state, event = self._request_topics(state, name, min(MAX_TOPICS_PER_PASS, wanted.topics))
                    events.append(event)
            state = state.with_(refreshed=bool(events) or None)
        return state, events

    def _report_pause(self, state: State, *, is_needed: bool) -> State:
        """Record, and log once, why nothing is requested although rows are missing (`is_needed`)."""
        reason = None
        if is_needed and state.parked_count > self.plan.parked_limit:
            reason = PARKED
        elif is_needed and is_paused(self.plan, state):
            reason = YIELD
        if reason and reason != state.paused:
            log.warning("%s", PAUSES[reason])
        return state.with_(paused=reason)

    def _room(self, state: State) -> tuple[int, LimitUse | None]:
        """Return how many problems may be in flight, and the limit of the budget that allows no more."""
        return (0, None) if state.paused else allowed_in_flight(self.plan, state)

    def _report_budget(self, state: State, limit: LimitUse | None) -> tuple[State, Sequence[Event]]:
        """Log that the budget allows no further problem; publish it when no problem is in flight any more."""
        if limit and not state.held_back:
            spent = out_of(limit.spent, limit.limit, limit.unit)
            log.warning("budget: no further problem for now: ended problems spent %s", spent)
        state = state.with_(held_back=limit is not None)
        if limit is None or state.in_flight or state.reported_adoption == state.adoptions:
            return state, ()
        reached = BudgetReached.root(
            derive(self.root, "budget"),
            "planner",
            state.adoptions,
            plan=self.plan.name,
            plan_hash=self.plan.hash,
            model=limit.model,
            unit=limit.unit,
            spent=limit.spent,
            limit=limit.limit,
        )
        return state.with_(reported_adoption=state.adoptions), (reached,)

    def _needs_topics(self, state: State, name: str) -> bool:
        subject = state.subject(name)
        enough = len(subject.open_topics) >= self.plan.subjects[name].topics
        return not (enough or subject.expanding or subject.exhausted)

    def _request_topics(self, state: State, name: str, wanted: int | None = None) -> tuple[State, Event]:
        """Request topics, by default as many as the subject lacks."""
        subject = state.subject(name)
        lack = self.plan.subjects[name].topics - len(subject.open_topics)
        request = SubjectRequested.root(
            subject_id(self.root, name),
            "planner",
            subject.passes,
            plan=self.plan.name,
            subject=name,
            about=self.plan.about(name),
            wanted=min(MAX_TOPICS_PER_PASS, lack) if wanted is None else wanted,
            known=tuple(known.topic.name for known in subject.topics),
            covered=dict(Counter(f"{known.topic.field} › {known.topic.subfield}" for known in subject.topics)),
        )
        return state.with_subject(name, passes=subject.passes + 1, expanding=True), request

    def _request_problem(self, state: State, ref: TopicRef) -> tuple[State, Event]:
        topic = state.topic(ref)
        request = self._request(state, ref)
        state = state.with_topic(ref, requested=topic.requested + 1)
        return state.with_(in_flight={**state.in_flight, request.id: ref}), request

    def _reject(self, state: State, event: ProblemRejected) -> tuple[State, Sequence[Event]]:
        """End the problem. One that the probe found too easy is requested harder, as often as the plan says.

        Like any request, it needs a subject that lacks one more problem and a free slot.
        """
        ref, easy = state.topic_of(event.item.id), event.item
        state = pause_topic(self.plan, reject(state, event), ref)
        times = 1 + (easy.harder_than.times if easy.harder_than else 0)
        too_easy = (event.service, event.reason) == ("probe", "too_easy") and times <= self.plan.solving.harder
        if ref is None or not too_easy or not self._has_room(state, ref[0]):
            return state, ()
        request = ProblemRequested.after(
            event,
            "planner",
            plan=self.plan.name,
            topic=easy.topic,
            answer_type=easy.written.answer_type,
            harder_than=Easier(
                problem=easy.id, statement=easy.written.statement, answer=easy.written.answer, times=times
            ),
        )
        return state.with_(in_flight={**state.in_flight, request.id: ref}), (request,)

    def _has_room(self, state: State, name: str) -> bool:
        in_flight = Counter(name for name, _ in state.in_flight.values())
        return in_flight.total() < self._room(state)[0] and in_flight[name] < wanted_in_flight(self.plan, state).get(
            name, 0
        )

    def _request(self, state: State, ref: TopicRef) -> ProblemRequested:
        """Build a topic's next request. Answer types, hints and examples alternate, from the topic's own start."""
        topic = state.topic(ref)
        parent, n = topic.topic.id(self.root), topic.requested
        position = parent.int % PICK_PERIOD + n
        return ProblemRequested.root(
            parent,
            "planner",
            n,
            plan=self.plan.name,
            topic=topic.topic,
            answer_type=pick(self.plan.mix, position),
            technique=TECHNIQUES[position % len(TECHNIQUES)],
            structure=STRUCTURES[position % len(STRUCTURES)],
            avoid=topic.summaries,
            rejections=topic.rejections,
            examples=_examples(state, ref, position),
        )


def _examples(state: State, ref: TopicRef, position: int) -> tuple[Example, ...] | None:
    """Return the next two accepted problems of other topics, in rotation; None when there are none."""
    others = [one.example for one in state.examples or () if one.topic != ref]
    chosen = dict.fromkeys((EXAMPLES * position + number) % len(others) for number in range(EXAMPLES)) if others else {}
    return tuple(others[number] for number in chosen) or None
