"""A process that reserves money for a call that never ends, until it is killed: valkey URL, factory, limit, lease."""

import asyncio
import sys

from schemas.config.models_config import RoleModel
from schemas.config.policies import ALL, Limit
from shared.cache.budget_ledger import BudgetLedger
from shared.cache.client import connect
from shared.config.connections import ValkeyAccess
from shared.llm.budget_guard import LimitedBudget


async def main() -> None:
    url, factory, limit, lease_s = sys.argv[1:]
    ledger = BudgetLedger(connect(ValkeyAccess(url)), factory, {ALL: Limit(tokens=int(limit))}, float(lease_s))
    guard = LimitedBudget(ledger, float(lease_s))
    async with guard.charge(RoleModel(model="m"), "writer/ask", {"messages": [], "max_tokens": int(limit)}):
        sys.stdout.write("reserved\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
