"""The plan in force."""

from typing import ClassVar

from schemas.events.base import Event
from schemas.plan import Plan


class PlanAdopted(Event):
    """The planner follows this plan from now on."""

    type: ClassVar[str] = "plan.adopted"

    plan: Plan

    @property
    def key(self) -> str:
        return self.plan.name
