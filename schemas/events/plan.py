"""The current plan, and its budget."""

from typing import ClassVar

from schemas.config.plan import Plan
from schemas.events.base import Event


class PlanAdopted(Event):
    """The planner follows this plan from now on."""

    type: ClassVar[str] = "plan.adopted"
    major: ClassVar[int] = 2  # since 2 `rows` may be `forever`, and answer types may have weights

    plan: Plan

    @property
    def key(self) -> str:
        return self.plan.name


class BudgetReached(Event):
    """Rows are lacking, nothing is in progress, and the budget has no room for another problem. Once per plan."""

    type: ClassVar[str] = "budget.reached"

    plan: str
    plan_hash: str
    model: str
    """The model with the limit; `all` for the sum."""
    unit: str
    """tokens or dollars."""
    spent: float
    """Cost of the calls that have ended."""
    limit: float

    @property
    def key(self) -> str:
        return self.plan
