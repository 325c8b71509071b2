"""`chimera check budget`: what a factory has spent, by model, from the budget ledger in Valkey."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from deploy.local.state_file import StateFile
from schemas.config.policies import ALL, Budget, Limit
from schemas.spend import amount
from shared.cache.budget_ledger import Amount, BudgetLedger
from shared.cache.client import connect
from shared.config.connections import ValkeyAccess
from shared.config.settings import Connections
from shared.errors import Refusal
from shared.text.controls import strip_controls

TIMEOUT_S = 10.0


def find_valkey(url: str, directory: Path) -> ValkeyAccess:
    """Return how to reach the given Valkey, or that of the stack in the folder. Raises Refusal without either."""
    state = StateFile.read(directory)
    if address := url or (state.up and state.valkey_url):
        return Connections(valkey=SecretStr(address)).valkey_access
    step = "Give one with --valkey URL, or start one with `chimera up`"
    raise Refusal(f"no Valkey: nothing runs in {directory}", step)


async def read_spent(access: ValkeyAccess, factory: str) -> dict[str, Amount]:
    """Return what is spent by model. Raises Refusal when Valkey does not answer, or has no sums."""
    ledger = BudgetLedger(connect(access), factory, {}, lease_s=1.0)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if not await ledger.is_open():
                step = "Give the plan a budget and start the planner: it adds up what is on the log"
                raise Refusal(f"Valkey has no sums of the factory {factory}", step)
            return await ledger.spent()
    except TimeoutError:
        raise Refusal("Valkey does not answer", "Check the address with --valkey, and that Valkey is up") from None
    finally:
        await ledger.aclose()


def document(spent: Mapping[str, Amount], budget: Budget) -> dict[str, dict[str, Any]]:
    """Return what is spent and the limits, by model, the sum first. Unknown is `None`, and so is no limit."""
    limits = budget.limits()
    names = sorted({*spent, *limits}, key=lambda name: (name != ALL, name))
    return {name: _figures(spent.get(name, Amount(0, 0)), limits.get(name, Limit())) for name in names}


def _figures(spent: Amount, limit: Limit) -> dict[str, Any]:
    return {
        "tokens": spent.tokens,
        "tokens_limit": limit.tokens,
        "dollars": spent.dollars,
        "dollars_limit": limit.dollars,
    }


def render(figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the figures for a person."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("model", "tokens", "of", "dollars", "of"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for model, one in figures.items():
        dollars = "unknown" if one["dollars"] is None else amount(one["dollars"], "dollars")
        limits = [_limit(one[f"{unit}_limit"], unit) for unit in ("tokens", "dollars")]
        table.add_row(strip_controls(model), f"{one['tokens']:,}", limits[0], dollars, limits[1])
    Console(highlight=False).print(table)


def _limit(limit: float | None, unit: str) -> str:
    if limit is None:
        return ""
    return f"{limit:,.0f}" if unit == "tokens" else amount(limit, unit)
