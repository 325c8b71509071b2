"""Asks for as many problems, of the topics that lack them, as the measured yield says.

A closed loop: every ending updates the state, then requests are topped up to what the state says is wanted, within
the plan's limit on work in progress. A request is a pure function of plan, topic and number.
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
from schemas.item import Easier, Topic
from schemas.spend import out_of
from services.planner.ability import measured
from services.planner.budget import Account, slots
from services.planner.demand import PICK_PERIOD, missing_rows, next_topic_ref, pick, share, wanted
from services.planner.endings import add_topics, curate, delete, expand, park, reject, subject_id
from services.planner.hints import STRUCTURES, TECHNIQUES
from services.planner.state import State, TopicRef, TopicState

log = logging.getLogger(__name__)

PASS = 100
"""Most topics asked for at once: a longer list repeats itself, and what is missing is asked for in the next pass."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Follows one plan in one factory."""

    state_type: ClassVar[type[State]] = State

    plan: Plan
    factory: str
    own: Sequence[Topic] = ()
    """Topics that a person has brought: they are there before any other is asked for."""

    @property
    def root(self) -> UUID:
        return factory_id(self.factory)

    def start(self, state: State | None, now: datetime) -> tuple[State, Sequence[Event]]:
        """Begin, or go on from a snapshot. A plan that is new is adopted: what it changes holds from now on."""
        state = state or State()
        for name in self.plan.subjects:
            state = add_topics(state, name, [topic for topic in self.own if topic.subject == name], self.root)
        if state.plan_hash == self.plan.hash:
            return self._top_up(state)
        adopted = PlanAdopted.root(derive(self.root, "plan"), "planner", state.adoptions, plan=self.plan)
        moist = {name: subject.with_(dry=False) for name, subject in state.subjects.items()}
        state = state.with_(plan_hash=self.plan.hash, adoptions=state.adoptions + 1, subjects=moist)
        state, events = self._top_up(state)
        return state, (adopted, *events)

    def __call__(self, state: State, event: Event, now: datetime) -> tuple[State, Sequence[Event]]:
        match event:
            case TopicExpanded():
                state = expand(state, event, self.root)
            case SampleCurated():
                state = curate(state, event)
            case ProblemRejected():
                state, again = self._send_back(state, event)
                state, events = self._top_up(state)
                return state, [*again, *events]
            case ProblemParked():
                state = park(state, event)
            case SampleDeleted():
                state = delete(state, event)
            case EvaluationCompleted(plan=self.plan.name):
                state = state.with_(ability=measured(event))
            case _:  # a model that was trained on another plan's rows
                return state, ()
        return self._top_up(state)

    def _top_up(self, state: State) -> tuple[State, Sequence[Event]]:
        events: list[Event] = []
        room, account = slots(self.plan, state)
        for name, lack in missing_rows(self.plan, state).items() if room else ():
            if lack and self._wants_topics(state, name):
                state, event = self._ask_topics(state, name)
                events.append(event)
        wants = {name: want for name, want in wanted(self.plan, state).items() if state.subject(name).open_topics}
        in_flight = Counter(name for name, _ in state.in_flight.values())
        for name in share(room, wants, in_flight):
            state, event = self._ask_problem(state, next_topic_ref(self.plan, state, name))
            events.append(event)
        in_flight = Counter(name for name, _ in state.in_flight.values())
        more = (
            any(wants[name] > in_flight[name] for name in wants)
            if room
            else any(missing_rows(self.plan, state).values())
        )
        state, said = self._held_back(state, account if more and in_flight.total() >= room else None)
        return state, [*events, *said]

    def _held_back(self, state: State, account: Account | None) -> tuple[State, Sequence[Event]]:
        """Say it when the budget is what stands in the way; as an event once nothing is under way any more."""
        if account and not state.held_back:
            gone = out_of(account.spent, account.limit, account.unit)
            log.warning("budget: no further problem for now: %s are spent by what has ended", gone)
        state = state.with_(held_back=account is not None)
        if account is None or state.in_flight or state.told == state.adoptions:
            return state, ()
        reached = BudgetReached.root(
            derive(self.root, "budget"),
            "planner",
            state.adoptions,
            plan=self.plan.name,
            plan_hash=self.plan.hash,
            model=account.model,
            unit=account.unit,
            spent=account.spent,
            limit=account.limit,
        )
        return state.with_(told=state.adoptions), (reached,)

    def _wants_topics(self, state: State, name: str) -> bool:
        subject = state.subject(name)
        enough = len(subject.open_topics) >= self.plan.subjects[name].topics
        return not (enough or subject.expanding or subject.dry)

    def _ask_topics(self, state: State, name: str) -> tuple[State, Event]:
        subject = state.subject(name)
        request = SubjectRequested.root(
            subject_id(self.root, name),
            "planner",
            subject.passes,
            plan=self.plan.name,
            subject=name,
            about=self.plan.about(name),
            wanted=min(PASS, self.plan.subjects[name].topics - len(subject.open_topics)),
            known=tuple(known.topic.name for known in subject.topics),
            covered=dict(Counter(f"{known.topic.field} › {known.topic.subfield}" for known in subject.topics)),
        )
        return state.with_subject(name, passes=subject.passes + 1, expanding=True), request

    def _ask_problem(self, state: State, place: TopicRef) -> tuple[State, Event]:
        topic = state.topic(place)
        request = self._request(topic, topic.asked)
        state = state.with_topic(place, asked=topic.asked + 1)
        return state.with_(in_flight={**state.in_flight, request.id: place}), request

    def _send_back(self, state: State, event: ProblemRejected) -> tuple[State, Sequence[Event]]:
        """End the problem. One that was too easy for the probe is wanted harder, as often as the plan says.

        That is a request like any other: made while its subject wants one more and a place is free.
        """
        place, easy = state.place(event.item.id), event.item
        state = reject(state, event)
        times = 1 + (easy.harder_than.times if easy.harder_than else 0)
        too_easy = (event.service, event.reason) == ("probe", "too_easy") and times <= self.plan.solving.harder
        if place is None or not too_easy or not self._has_room(state, place[0]):
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
        return state.with_(in_flight={**state.in_flight, request.id: place}), (request,)

    def _has_room(self, state: State, name: str) -> bool:
        in_flight = Counter(name for name, _ in state.in_flight.values())
        return in_flight.total() < slots(self.plan, state)[0] and in_flight[name] < wanted(self.plan, state).get(
            name, 0
        )

    def _request(self, asked: TopicState, n: int) -> ProblemRequested:
        """The `n`-th problem of a topic. Answer types and hints take turns, each topic starting with its own."""
        parent = asked.topic.id(self.root)
        turns = parent.int % PICK_PERIOD + n
        return ProblemRequested.root(
            parent,
            "planner",
            n,
            plan=self.plan.name,
            topic=asked.topic,
            answer_type=pick(self.plan.mix, turns),
            technique=TECHNIQUES[turns % len(TECHNIQUES)],
            structure=STRUCTURES[turns % len(STRUCTURES)],
            avoid=asked.summaries,
        )
