"""The planner, with its state exported as metrics."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from math import inf
from uuid import UUID

from schemas.events import Event, ProblemRejected, ProblemRequested, SampleCurated
from schemas.outcomes import Admission
from services.planner.demand import expected_yields
from services.planner.handler import Planner
from services.planner.pauses import BUDGET, PAUSES
from services.planner.state import State
from shared.telemetry.metrics import (
    ENDED,
    ITEM_SECONDS,
    OPEN,
    OPEN_LIMIT,
    PARKED,
    PAUSED,
    REJECTED,
    REQUESTED_ROWS,
    ROWS,
    TOPICS,
    YIELD,
    bounded_label,
    plan_at_zero,
)

log = logging.getLogger(__name__)


class MeasuredPlanner:
    """A machine. A repeated end of a problem is counted once."""

    state_type = State

    def __init__(self, planner: Planner, changed: Callable[[], Planner | None] = lambda: None) -> None:
        """`changed` returns the planner of another plan once, when the plan has changed."""
        self._planner = planner
        self._plan = planner.plan
        self._changed = changed
        self._requested_at: dict[UUID, datetime] = {}
        """Open problems that this process requested; the times of earlier requests are unknown."""
        plan_at_zero([*self._plan.subjects])

    def follow(self) -> bool:
        """Take a changed plan; it applies from the next start. Returns whether there is one."""
        if (planner := self._changed()) is None:
            return False
        log.info("the plan has changed")
        self._planner, self._plan = planner, planner.plan
        for gauge in (REQUESTED_ROWS, ROWS, TOPICS, YIELD, OPEN, PARKED):
            gauge.clear()  # of subjects that the plan no longer has
        plan_at_zero([*self._plan.subjects])
        return True

    def start(self, state: State | None, now: datetime) -> tuple[State, Sequence[Event]]:
        return self._export(*self._planner.start(state, now), now)

    def __call__(self, state: State, event: Event, now: datetime) -> tuple[State, Sequence[Event]]:
        match event:
            case ProblemRejected():
                self._count_ending(state, event.item.id, "rejected", now)
                if state.topic_of(event.item.id):
                    REJECTED.labels(
                        bounded_label("service", event.service), bounded_label("reason", event.reason)
                    ).inc()
            case SampleCurated():
                self._count_ending(state, event.sample_id, "row", now)
        return self._export(*self._planner(state, event, now), now)

    def _count_ending(self, state: State, problem: UUID, ending: str, now: datetime) -> None:
        if ref := state.topic_of(problem):
            ENDED.labels(ref[0], ending).inc()
        if requested_at := self._requested_at.pop(problem, None):
            ITEM_SECONDS.labels(ending).observe((now - requested_at).total_seconds())

    def _export(self, state: State, events: Sequence[Event], now: datetime) -> tuple[State, Sequence[Event]]:
        self._requested_at |= {event.id: now for event in events if isinstance(event, ProblemRequested)}
        quotas, expected = self._plan.quotas(), expected_yields(self._plan, state)
        in_flight = Counter(name for name, _ in state.in_flight.values())
        for reason in PAUSES:
            PAUSED.labels(reason).set(state.held_back if reason == BUDGET else state.paused == reason)
        OPEN_LIMIT.set(self._plan.in_progress)
        for name in self._plan.subjects:
            subject = state.subject(name)
            REQUESTED_ROWS.labels(name).set(inf if self._plan.endless else quotas[name])
            for reason, number in Counter(one.closed or "open" for one in subject.topics).items():
                TOPICS.labels(name, reason).set(number)
            ROWS.labels(name, Admission.IN).set(subject.admitted)
            ROWS.labels(name, Admission.RESERVE).set(subject.reserve)
            YIELD.labels(name).set(expected[name])
            OPEN.labels(name).set(in_flight[name])
            PARKED.labels(name).set(subject.parked or 0)
        return state, events
