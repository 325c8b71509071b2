"""A process that makes concurrent calls until the budget refuses: valkey URL, factory, limit, lease, base URL.

Prints how many of its calls were answered.
"""

import asyncio
import sys

from schemas.config.models_config import Endpoint, ModelsConfig
from schemas.config.policies import ALL, Limit
from shared.cache.budget_ledger import BudgetLedger
from shared.cache.client import connect
from shared.config.connections import ValkeyAccess
from shared.errors import OverBudget
from shared.llm import Models, Prompt
from shared.llm.budget_guard import LimitedBudget
from shared.ports import Model

IN_FLIGHT = 4


async def main() -> None:
    url, factory, limit, lease_s, base_url = sys.argv[1:]
    ledger = BudgetLedger(connect(ValkeyAccess(url)), factory, {ALL: Limit(tokens=int(limit))}, float(lease_s))
    models = Models(
        ModelsConfig.one(Endpoint(base_url=base_url), "m"), "problem_writer", LimitedBudget(ledger, float(lease_s))
    )
    model = models.model("writer", Prompt("ask", "$problem"))

    sys.stdout.write(f"{sum(await asyncio.gather(*(spend(model) for _ in range(IN_FLIGHT))))}\n")
    await models.aclose()


async def spend(model: Model) -> int:
    """Call, one after the other, until the budget refuses. Returns the calls answered."""
    answered = 0
    while True:
        try:
            await model.complete({"problem": "What?"}, seed=answered)
        except OverBudget:
            return answered
        answered += 1


if __name__ == "__main__":
    asyncio.run(main())
