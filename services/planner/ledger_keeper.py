"""Initialises the budget ledger from the log when Valkey has none, and exports the spend as metrics."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from schemas.config.policies import Budget
from schemas.item import Provenance
from schemas.spend import WARN_AT, amount, tokens
from shared.cache.budget_ledger import Amount, BudgetLedger
from shared.cache.client import connect
from shared.config.settings import Settings
from shared.kafka.clients import KafkaError
from shared.kafka.recorded_calls import recorded_calls
from shared.runtime.background_task import run_in_background
from shared.telemetry.metrics import BUDGET_DOLLARS, BUDGET_TOKENS, SPENT_DOLLARS, SPENT_TOKENS

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 1.0


@asynccontextmanager
async def ledger_keeper(
    settings: Settings, budget: Budget, changed: Callable[[], Budget | None] = lambda: None
) -> AsyncIterator[None]:
    """Keep the ledger initialised until the end of the block. Without a budget, accounting is disabled.

    `changed` returns another budget once, when it has changed.
    """
    ledger = BudgetLedger(connect(settings.valkey_access), settings.factory, budget.limits(), settings.lease_s)
    try:
        async with run_in_background(partial(_keep_initialised, settings, budget, changed, ledger)):
            yield
    finally:
        await ledger.aclose()


async def _keep_initialised(
    settings: Settings,
    budget: Budget,
    changed: Callable[[], Budget | None],
    ledger: BudgetLedger,
    stopping: asyncio.Event,
) -> None:
    warned: set[str] = set()
    current: Budget | None = budget
    while not stopping.is_set():
        if current:
            budget = current
            _export_limits(budget)
            if not budget.limits():
                await ledger.close()
        if budget.limits():
            await _keep_once(settings, budget, ledger, warned)
        await asyncio.sleep(CHECK_INTERVAL_S)
        current = changed()


async def _keep_once(settings: Settings, budget: Budget, ledger: BudgetLedger, warned: set[str]) -> None:
    try:
        if not await ledger.is_open():
            await rebuild(settings, ledger)
    except (KafkaError, OSError) as error:
        log.warning("cannot read the spend from the log yet: %s: %s", type(error).__name__, error)
    spent = await ledger.spent()
    _export(spent)
    for warning in set(_find_nearly_spent(budget, spent)) - warned:
        log.warning("budget: %s", warning)
        warned.add(warning)


def _export_limits(budget: Budget) -> None:
    BUDGET_TOKENS.clear()
    BUDGET_DOLLARS.clear()
    for model, limit in budget.limits().items():
        if limit.tokens is not None:
            BUDGET_TOKENS.labels(model).set(limit.tokens)
        if limit.dollars is not None:
            BUDGET_DOLLARS.labels(model).set(limit.dollars)


async def rebuild(settings: Settings, ledger: BudgetLedger) -> None:
    """Add up the calls in the log and initialise the ledger. Concurrent rebuilds are safe: the first one counts."""
    calls = await recorded_calls(settings.kafka_access, settings.factory)
    uncounted = sum(tokens(call) is None for call in calls)
    if await ledger.open(_cost(call) for call in calls if tokens(call) is not None):
        spent = (await ledger.spent()).get("all", Amount(0, 0))
        sums = [amount(spent.tokens, "tokens"), *([] if spent.dollars is None else [amount(spent.dollars, "dollars")])]
        log.info(
            "spend rebuilt from the log: %s by %d calls, %d of them uncounted", ", ".join(sums), len(calls), uncounted
        )


def _cost(call: Provenance) -> tuple[str, str, Amount]:
    """As `Treasury.open` takes it. The kind is the one that the models' clients give."""
    return call.model, f"{call.role}/{call.prompt}/{call.model}", Amount.of(tokens(call) or 0, call.cost)


def _export(spent: Mapping[str, Amount]) -> None:
    for model, cost in spent.items():
        SPENT_TOKENS.labels(model).set(cost.tokens)
        if cost.dollars is not None:
            SPENT_DOLLARS.labels(model).set(cost.dollars)


def _find_nearly_spent(budget: Budget, spent: Mapping[str, Amount]) -> Iterator[str]:
    for model, limit in budget.limits().items():
        for unit, most in (("tokens", limit.tokens), ("dollars", limit.dollars)):
            used = getattr(spent.get(model), unit, None)
            if most is not None and used is not None and used >= WARN_AT * most:
                yield f"{WARN_AT:.0%} of {amount(most, unit)} are spent by {model}"
