"""The planner with its state as metrics. What it decides is the planner's own."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from schemas.events import Event, ProblemRejected, ProblemRequested, SampleCurated
from services.planner.demand import yields
from services.planner.handler import Planner
from services.planner.state import State
from shared.telemetry.metrics import (
    ENDED,
    ITEM_SECONDS,
    OPEN,
    PARKED,
    REJECTED,
    REQUESTED_ROWS,
    ROWS,
    YIELD,
    bounded_label,
    plan_at_zero,
)


class Measured:
    """A machine. An ending that comes twice counts once."""

    state_type = State

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._plan = planner.plan
        self._asked: dict[UUID, datetime] = {}
        """Open problems that this process asked for; since when an earlier one has waited nobody knows."""
        plan_at_zero([*self._plan.subjects])

    def start(self, state: State | None, now: datetime) -> tuple[State, Sequence[Event]]:
        return self._shown(*self._planner.start(state, now), now)

    def __call__(self, state: State, event: Event, now: datetime) -> tuple[State, Sequence[Event]]:
        match event:
            case ProblemRejected():
                self._ended(state, event.item.id, "rejected", now)
                if state.place(event.item.id):
                    REJECTED.labels(
                        bounded_label("service", event.service), bounded_label("reason", event.reason)
                    ).inc()
            case SampleCurated():
                self._ended(state, event.sample_id, "row", now)
        return self._shown(*self._planner(state, event, now), now)

    def _ended(self, state: State, problem: UUID, ending: str, now: datetime) -> None:
        if place := state.place(problem):
            ENDED.labels(place[0], ending).inc()
        if asked := self._asked.pop(problem, None):
            ITEM_SECONDS.labels(ending).observe((now - asked).total_seconds())

    def _shown(self, state: State, events: Sequence[Event], now: datetime) -> tuple[State, Sequence[Event]]:
        self._asked |= {event.id: now for event in events if isinstance(event, ProblemRequested)}
        quotas, expected = self._plan.quotas(), yields(self._plan, state)
        under_way = Counter(name for name, _ in state.in_flight.values())
        parked = Counter(name for name, _ in state.parked.values())
        for name in self._plan.subjects:
            subject = state.subject(name)
            REQUESTED_ROWS.labels(name).set(quotas[name])
            ROWS.labels(name, "in").set(subject.admitted)
            ROWS.labels(name, "reserve").set(subject.reserve)
            YIELD.labels(name).set(expected[name])
            OPEN.labels(name).set(under_way[name])
            PARKED.labels(name).set(parked[name])
        return state, events
