"""What is spent of the plan's budget, from the factory's books in Valkey."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.config.policies import ALL, Budget
from schemas.spend import amount, out_of
from services.cli.run.local_factory import FACTORY
from shared.cache.budget_ledger import Amount, BudgetLedger
from shared.cache.client import connect
from shared.config.connections import ValkeyAccess

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One limit of the plan. `spent`: `None` when a price is unknown."""

    model: str
    unit: str
    spent: float | None
    limit: float

    def __str__(self) -> str:
        unknown = f"unknown of {amount(self.limit, self.unit)}"
        whose = "" if self.model == ALL else f" for {self.model}"
        return (unknown if self.spent is None else out_of(self.spent, self.limit, self.unit)) + whose


async def accounts(valkey: str | None, budget: Budget) -> list[BudgetLine]:
    """Every limit of the plan; none when it has no budget, or Valkey does not answer."""
    if not budget.limits() or valkey is None:
        return []
    treasury = BudgetLedger(connect(ValkeyAccess(valkey)), FACTORY, budget.limits(), lease_s=1.0)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            spent = await treasury.spent()
    except TimeoutError:
        return []
    finally:
        await treasury.aclose()
    found = []
    for model, limit in budget.limits().items():
        gone = spent.get(model, Amount(0, 0))
        found += [BudgetLine(model, "tokens", gone.tokens, limit.tokens)] if limit.tokens else []
        found += [BudgetLine(model, "dollars", gone.dollars, limit.dollars)] if limit.dollars else []
    return found


def describe(accounts: Iterable[BudgetLine]) -> str:
    """For a person."""
    return " · ".join(map(str, accounts))
