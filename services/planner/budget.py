"""How many problems the budget lets be open at once. Numbers only.

What is spent is known from what has ended. A problem under way is taken for the dearest so far: cheap ones end first,
so that a mean would promise too much. What is left over is asked for as soon as they have ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.config.plan import Plan
from schemas.spend import Spend, total
from services.planner.state import State

FIRST = 8
"""Problems that may be under way before the cost of any is known; one more for each that is."""


@dataclass(frozen=True, slots=True)
class Account:
    """One limit of the plan, and what is spent of it."""

    model: str
    unit: str
    spent: float
    limit: float
    each: float
    """Most that one problem has cost so far."""

    @property
    def room(self) -> int | None:
        """How many problems may be open together; `None`: there is room, and no problem has taken any of it yet."""
        if self.spent >= self.limit:
            return 0
        return int((self.limit - self.spent) / self.each) if self.each else None


def accounts(plan: Plan, state: State) -> Iterator[Account]:
    """Every limit."""
    spent = {one.model: one for one in (*state.spent, total(state.spent))}
    most = {one.model: one for one in state.dearest}
    for model, limit in plan.budget.limits().items():
        gone, each = spent.get(model, Spend(model=model)), most.get(model, Spend(model=model))
        if limit.tokens is not None:
            yield Account(model, "tokens", gone.tokens, limit.tokens, each.tokens)
        if limit.dollars is not None:
            yield Account(model, "dollars", gone.dollars, limit.dollars, each.dollars)


def slots(plan: Plan, state: State) -> tuple[int, Account | None]:
    """How many problems may be in flight, and the account that allows no more; `None` when the budget does not matter.

    A parked problem keeps its share: what it has cost is not told, and it may be opened again.
    """
    if not plan.budget.limits():
        return plan.in_progress, None
    most, holds = min(plan.in_progress, FIRST + state.costed), None
    for account in accounts(plan, state):
        if account.room is not None and account.room - len(state.parked) < most:
            most, holds = max(0, account.room - len(state.parked)), account
    return most, holds
