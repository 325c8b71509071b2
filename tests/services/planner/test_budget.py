"""The planner under a budget."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config.plan import Plan
from schemas.config.policies import Budget
from schemas.events import (
    BudgetReached,
    ProblemRejected,
    ProblemRequested,
    SampleCurated,
)
from schemas.item import Provenance
from schemas.spend import spent
from services.planner.budget import INITIAL_IN_FLIGHT
from services.planner.handler import Planner
from tests.support.planning import (
    NOW,
    a_plan,
    curated,
    started,
)


def with_budget(plan: Plan, tokens: int) -> Plan:
    return plan.model_copy(update={"budget": Budget(tokens=tokens)})


def costing(request: ProblemRequested, tokens: int) -> SampleCurated | ProblemRejected:
    """An ending that tells what the problem has cost; every third problem is a rejected one."""
    call = Provenance(
        role="problem_writer",
        endpoint="e",
        model="m",
        prompt="draft",
        prompt_hash="",
        prompt_tokens=tokens // 2,
        completion_tokens=tokens - tokens // 2,
        started="",
        latency_s=1,
    )
    if request.id.int % 3:
        return curated(request, "in").with_(spent=spent([call]))
    return ProblemRejected.of(request, "panel", request.item, (call,), reason="unsolved", detail="")


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), budget=st.integers(1, 100_000), in_progress=st.integers(1, 40))
def test_planning_stops_close_to_the_budget(seed: int, budget: int, in_progress: int) -> None:
    """Endings in any order, each delivered twice: spent once, nothing left in progress, one event about it."""
    dice, output, spends = random.Random(seed), list[BudgetReached](), 0
    planner, state, waiting = started(with_budget(a_plan(rows=1_000, in_progress=in_progress), budget))
    while waiting:
        assert len(state.in_flight) <= in_progress
        request = waiting.pop(dice.randrange(len(waiting)))
        cost = dice.randint(500, 1_500)
        spends += cost
        for _ in range(2):
            state, events = planner(state, costing(request, cost), NOW)
            waiting += [event for event in events if isinstance(event, ProblemRequested)]
            output += [event for event in events if isinstance(event, BudgetReached)]
    assert sum(one.tokens for one in state.spent) == spends
    assert spends < max(budget, INITIAL_IN_FLIGHT * 1_500) + 6_000  # at most 3,100 in 4,000 tries
    assert spends > min(budget - 1_500, 0)
    assert [(event.unit, event.spent, event.limit) for event in output] == [("tokens", spends, budget)]
    state, events = planner.start(state, NOW)
    assert not events
    state, events = Planner(with_budget(planner.plan, 2 * max(budget, spends)), "test").start(state, NOW)
    assert any(isinstance(event, ProblemRequested) for event in events)


def test_a_budget_that_is_large_enough_changes_nothing() -> None:
    requests = [len(started(plan)[2]) for plan in (a_plan(rows=200), with_budget(a_plan(rows=200), 10**9))]
    assert requests == [8, 8]
