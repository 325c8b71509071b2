"""Spending against the plan's budget, from the budget ledger in Valkey."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.config.policies import ALL, Budget
from schemas.spend import amount, out_of
from services.cli.common.names import FACTORY
from shared.cache.budget_ledger import Amount, BudgetLedger
from shared.cache.client import connect
from shared.config.connections import ValkeyAccess

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One limit of the plan. `spent` is `None` when a price is unknown."""

    model: str
    unit: str
    spent: float | None
    limit: float

    def __str__(self) -> str:
        unknown = f"unknown of {amount(self.limit, self.unit)}"
        suffix = "" if self.model == ALL else f" for {self.model}"
        return (unknown if self.spent is None else out_of(self.spent, self.limit, self.unit)) + suffix


async def accounts(valkey: str | None, budget: Budget) -> list[BudgetLine]:
    """Return every limit of the plan; an empty list without a budget, and when Valkey does not answer."""
    if not budget.limits() or valkey is None:
        return []
    ledger = BudgetLedger(connect(ValkeyAccess(valkey)), FACTORY, budget.limits(), lease_s=1.0)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            spent = await ledger.spent()
    except TimeoutError:
        return []
    finally:
        await ledger.aclose()
    lines = []
    for model, limit in budget.limits().items():
        amounts = spent.get(model, Amount(0, 0))
        lines += [BudgetLine(model, "tokens", amounts.tokens, limit.tokens)] if limit.tokens else []
        lines += [BudgetLine(model, "dollars", amounts.dollars, limit.dollars)] if limit.dollars else []
    return lines


def describe(accounts: Iterable[BudgetLine]) -> str:
    """Return all limits in one line, for a person."""
    return " · ".join(map(str, accounts))
