"""Checks the plan's budget against the models, and creates the budget guard of a service."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from schemas.config.models_config import ModelsConfig, RoleModel
from schemas.config.policies import ALL, Budget, Limit
from shared.cache.budget_ledger import BudgetLedger
from shared.cache.client import connect
from shared.config.followed_file import FollowedFile
from shared.config.plan_loader import load_plan
from shared.config.settings import Settings
from shared.errors import Refusal
from shared.llm.budget_guard import BudgetGuard, LimitedBudget, UnlimitedBudget


def budget_guard(settings: Settings, budget: Budget, config: ModelsConfig) -> BudgetGuard:
    """Create the budget guard of a service. Raises Refusal when the plan's budget does not fit the models."""
    check_budget(budget, config)
    if not budget.limits():
        return UnlimitedBudget()
    valkey = connect(settings.valkey_access)
    limits = FollowedLimits(settings.plan)
    return LimitedBudget(BudgetLedger(valkey, settings.factory, limits, settings.lease_s), settings.lease_s)


class FollowedLimits(Mapping[str, Limit]):
    """The limits of a plan's budget by model, also after a change of the plan."""

    def __init__(self, plan: Path) -> None:
        self._file = FollowedFile(plan, lambda path: load_plan(path).budget.limits())

    def _current(self) -> Mapping[str, Limit]:
        self._file.changed()
        return self._file.value

    def __getitem__(self, model: str) -> Limit:
        return self._current()[model]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())


def check_budget(budget: Budget, config: ModelsConfig) -> None:
    """Raise Refusal for a limit on a model without a role, or in dollars on a model without a price."""
    assigned = config.assigned()
    names = sorted({role_model.model for role_model in assigned.values()})
    for model, limit in budget.limits().items():
        if model != ALL and model not in names:
            raise Refusal(
                f"the plan has a budget for {model}, which has no role; there are {', '.join(names)}",
                "Correct budget.models in the plan",
            )
        if (role := _unpriced(model, limit, assigned)) is not None:
            raise Refusal(
                f"the plan has a budget in dollars, and the price of {assigned[role].model} ({role}) is unknown",
                f"Give {role} a price in the models file, or set the budget in tokens",
            )


def _unpriced(model: str, limit: Limit, assigned: Mapping[str, RoleModel]) -> str | None:
    if limit.dollars is None:
        return None
    unpriced = (
        role for role, role_model in assigned.items() if model in (ALL, role_model.model) and role_model.price is None
    )
    return next(unpriced, None)
