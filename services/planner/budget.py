"""How many problems the budget allows in flight.

Spend is known only of problems that have ended. Each one in flight is estimated at the highest cost so far: cheap
problems end first, so a mean would be too low. The rest of the budget becomes available as problems end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.config.plan import Plan
from schemas.spend import Spend, total
from services.planner.state import State

INITIAL_IN_FLIGHT = 8
"""Problems in flight before any cost is known; one more for each known cost."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit of the plan, and the spend that counts towards it."""

    model: str
    unit: str
    spent: float
    limit: float
    cost_per_problem: float
    """Highest cost of one problem so far."""

    @property
    def problems_left(self) -> int | None:
        """Problems that the rest of the limit pays for; `None` when no problem has cost any of it yet."""
        if self.spent >= self.limit:
            return 0
        return int((self.limit - self.spent) / self.cost_per_problem) if self.cost_per_problem else None


def limit_uses(plan: Plan, state: State) -> Iterator[LimitUse]:
    """Yield every limit of the plan with its use."""
    spent = {one.model: one for one in (*state.spent, total(state.spent))}
    highest = {one.model: one for one in state.dearest}
    for model, limit in plan.budget.limits().items():
        used, each = spent.get(model, Spend(model=model)), highest.get(model, Spend(model=model))
        if limit.tokens is not None:
            yield LimitUse(model, "tokens", used.tokens, limit.tokens, each.tokens)
        if limit.dollars is not None:
            yield LimitUse(model, "dollars", used.dollars, limit.dollars, each.dollars)


def allowed_in_flight(plan: Plan, state: State) -> tuple[int, LimitUse | None]:
    """Return how many problems may be in flight, and the limit that allows no more; `None` when none restricts them.

    A parked problem keeps its share of the budget: its cost is unknown, and it may be replayed.
    """
    if not plan.budget.limits():
        return plan.in_progress, None
    allowed, restricting = min(plan.in_progress, INITIAL_IN_FLIGHT + state.costed), None
    for use in limit_uses(plan, state):
        if use.problems_left is not None and use.problems_left - state.parked_count < allowed:
            allowed, restricting = max(0, use.problems_left - state.parked_count), use
    return allowed, restricting
