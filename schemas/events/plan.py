"""The plan in force, and what its budget allows."""

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
    """Rows are lacking, nothing is under way, and the budget has no room for another problem. Said once for a plan."""

    type: ClassVar[str] = "budget.reached"

    plan: str
    plan_hash: str
    model: str
    """Whose limit it is; `all` for the sum."""
    unit: str
    """tokens or dollars."""
    spent: float
    """By what has ended."""
    limit: float

    @property
    def key(self) -> str:
        return self.plan
