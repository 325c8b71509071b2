"""Checks the plan's budget against the models, and creates the budget guard of a service."""

from collections.abc import Mapping

from schemas.config.models_config import ModelsConfig, RoleModel
from schemas.config.policies import ALL, Budget, Limit
from shared.cache.budget_ledger import BudgetLedger
from shared.cache.client import connect
from shared.config.settings import Settings
from shared.errors import Refusal
from shared.llm.budget_guard import BudgetGuard, LimitedBudget, UnlimitedBudget


def budget_guard(settings: Settings, budget: Budget, config: ModelsConfig) -> BudgetGuard:
    """Create the budget guard of a service. Raises Refusal when the plan's budget does not fit the models."""
    check_budget(budget, config)
    if not budget.limits():
        return UnlimitedBudget()
    valkey = connect(settings.valkey_access)
    return LimitedBudget(BudgetLedger(valkey, settings.factory, budget.limits(), settings.lease_s), settings.lease_s)


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
