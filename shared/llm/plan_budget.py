"""The plan's budget against the models that play: does it fit, and which purse follows from it?"""

from collections.abc import Mapping

from schemas.config.models_config import ModelsConfig, RoleModel
from schemas.config.policies import ALL, Budget, Limit
from shared.cache.budget_ledger import BudgetLedger
from shared.cache.client import connect
from shared.config.plan_loader import load_plan
from shared.config.settings import Settings
from shared.errors import Refusal
from shared.llm.budget_guard import BudgetGuard, LimitedBudget, Unlimited


def budget_guard(settings: Settings, cast: ModelsConfig) -> BudgetGuard:
    """The purse of a service. Raises Refusal when its plan's budget does not fit the models."""
    budget = load_plan(settings.plan).budget
    check(budget, cast)
    if not budget.limits():
        return Unlimited()
    valkey = connect(settings.valkey_access)
    return LimitedBudget(BudgetLedger(valkey, settings.factory, budget.limits(), settings.lease_s), settings.lease_s)


def check(budget: Budget, cast: ModelsConfig) -> None:
    """Raise Refusal for a limit on a model that nobody plays, or in dollars on a model without a price."""
    playing = cast.assigned()
    names = sorted({part.model for part in playing.values()})
    for model, limit in budget.limits().items():
        if model != ALL and model not in names:
            raise Refusal(
                f"the plan has a budget for {model}, which plays no role; there are {', '.join(names)}",
                "Correct budget.models in the plan",
            )
        if (role := _unpriced(model, limit, playing)) is not None:
            raise Refusal(
                f"the plan has a budget in dollars, and the price of {playing[role].model} ({role}) is unknown",
                f"Give {role} a price in the models file, or set the budget in tokens",
            )


def _unpriced(model: str, limit: Limit, playing: Mapping[str, RoleModel]) -> str | None:
    if limit.dollars is None:
        return None
    bound = (role for role, part in playing.items() if model in (ALL, part.model) and part.price is None)
    return next(bound, None)
