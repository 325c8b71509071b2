"""Reserves budget for a call; does nothing without a budget."""

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from schemas.config.models_config import RoleModel
from schemas.config.policies import ALL
from schemas.item import Provenance
from schemas.spend import WARN_AT, amount, out_of, tokens
from shared.cache.budget_ledger import Amount, BudgetLedger, Contended, LimitReached, NotInitialised, Reservation
from shared.errors import OverBudget, Transient
from shared.interruption import waiting

log = logging.getLogger(__name__)

CHARACTERS_PER_TOKEN = 4
"""An estimate, for text that no endpoint has counted."""
ANSWER_TOKENS = 4096
"""Estimated length of an answer without a token limit."""
RETRY_S = 0.25
RENEWALS_PER_TTL = 3
"""Renewals during the lifetime of a reservation."""
WARN_EVERY_S = 30.0
CANCELLED_COMMIT_S = 2.0
"""How long a cancelled call waits for Valkey to record its cost."""


class Charge(Protocol):
    """The reservation for one call.

    An answered call is charged by its provenance. A broken or cancelled call is charged for what arrived, or, when
    nothing did, for all that was reserved, since it may have been paid. A refused call (Busy, Invalid, …) is free.
    """

    def commit(self, call: Provenance) -> None:
        """Set the cost of the call."""
        ...

    def partial(self, characters: int) -> None:
        """Set how much of an answer has arrived, in characters."""
        ...


class BudgetGuard(Protocol):
    """The budget of a factory."""

    def charge(self, role_model: RoleModel, kind: str, body: Mapping[str, Any]) -> AbstractAsyncContextManager[Charge]:
        """Reserve what a call may cost. Calls of one `kind` cost about the same.

        Waits while reservations of other calls leave no room. Raises OverBudget.
        """
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class _NoCharge:
    def commit(self, call: Provenance) -> None:
        pass

    def partial(self, characters: int) -> None:
        pass


class UnlimitedBudget:
    """The guard of a factory without a budget."""

    @asynccontextmanager
    async def charge(self, role_model: RoleModel, kind: str, body: Mapping[str, Any]) -> AsyncIterator[Charge]:
        """Reserve nothing."""
        yield _NoCharge()

    async def aclose(self) -> None:
        pass


class _Charge:
    def __init__(self) -> None:
        self.call: Provenance | None = None
        self.characters = 0

    def commit(self, call: Provenance) -> None:
        self.call = call

    def partial(self, characters: int) -> None:
        self.characters = characters


class LimitedBudget:
    """The guard of a factory with a budget. Renews its reservations while their calls are in flight."""

    def __init__(self, ledger: BudgetLedger, lease_s: float) -> None:
        self._ledger = ledger
        self._lease_s = lease_s
        self._reservations: dict[str, Reservation] = {}
        self._renewal: asyncio.Task[None] | None = None
        self._warned: set[tuple[str, str]] = set()
        self._next_log = 0.0

    @asynccontextmanager
    async def charge(self, role_model: RoleModel, kind: str, body: Mapping[str, Any]) -> AsyncIterator[Charge]:
        """Reserve the cost of a call, and charge it at the end."""
        charge, estimate = _Charge(), _estimate(role_model, body)
        reservation = await self._reserve(role_model.model, f"{kind}/{role_model.model}", estimate)
        self._hold(reservation)
        try:
            yield charge
        except (Transient, asyncio.CancelledError) as error:
            cost = _partial_cost(role_model, body, charge.characters, reservation.amount)
            limit_s = CANCELLED_COMMIT_S if isinstance(error, asyncio.CancelledError) else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._commit_cost(reservation, cost, measured=False)
            raise
        except BaseException:
            self._reservations.pop(reservation.id)
            await self._ledger.release(reservation)
            raise
        await self._commit(role_model, reservation, charge.call)

    async def aclose(self) -> None:
        """Stop renewing and close the connection."""
        if self._renewal:
            self._renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewal
        await self._ledger.aclose()

    async def _reserve(self, model: str, kind: str, estimate: Amount) -> Reservation:
        while True:
            try:
                reservation = await self._ledger.reserve(model, kind, estimate)
            except LimitReached as full:
                raise self._over(model, full) from None
            except NotInitialised:
                self._log("model calls wait until the planner has added up the costs on the log")
            except Contended:
                self._log("the rest of the budget is reserved for calls in flight: waiting for what they release")
            else:
                self._warn(reservation)
                return reservation
            with waiting():
                await asyncio.sleep(RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    async def _commit(self, role_model: RoleModel, reservation: Reservation, call: Provenance | None) -> None:
        count = tokens(call) if call else None
        if call is None or count is None:
            await self._commit_cost(reservation, _without_unknown_price(role_model, reservation.amount), measured=False)
        else:
            await self._commit_cost(reservation, Amount.of(count, call.cost), measured=True)

    async def _commit_cost(self, reservation: Reservation, cost: Amount, *, measured: bool) -> None:
        self._reservations.pop(reservation.id)
        await self._ledger.commit(reservation, cost, measured=measured)

    def _hold(self, reservation: Reservation) -> None:
        self._reservations[reservation.id] = reservation
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while self._reservations:
            await asyncio.sleep(self._lease_s / RENEWALS_PER_TTL)
            await self._ledger.renew(list(self._reservations.values()))

    def _over(self, model: str, full: LimitReached) -> OverBudget:
        limits = {(scope, unit): most for scope, unit, most in self._ledger.limits(model)}
        limit = limits.get((full.model, full.unit), full.spent)  # the plan may have changed meanwhile
        spent, needed = out_of(full.spent, limit, full.unit), amount(full.needed, full.unit)
        return OverBudget(
            f"the budget{_limit_of(full.model)} has no room: {spent} are spent, and this call takes about {needed}. "
            "Raise the budget in the plan, then replay"
        )

    def _warn(self, reservation: Reservation) -> None:
        for scope, unit, limit in self._ledger.limits(reservation.model):
            spent = reservation.spent.get((scope, unit), 0)
            if spent >= WARN_AT * limit and (scope, unit) not in self._warned:
                self._warned.add((scope, unit))
                log.warning("budget%s: %s are spent", _limit_of(scope), out_of(spent, limit, unit))

    def _log(self, message: str) -> None:
        if time.monotonic() >= self._next_log:
            self._next_log = time.monotonic() + WARN_EVERY_S
            log.warning("%s", message)


def _limit_of(model: str) -> str:
    return "" if model == ALL else f" for {model}"


def _prompt_tokens(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body["messages"], ensure_ascii=False)) // CHARACTERS_PER_TOKEN


def _estimate(role_model: RoleModel, body: Mapping[str, Any]) -> Amount:
    prompt, answer = _prompt_tokens(body), body.get("max_tokens") or body.get("max_completion_tokens") or ANSWER_TOKENS
    return Amount.of(prompt + answer, role_model.cost(prompt, answer))


def _partial_cost(role_model: RoleModel, body: Mapping[str, Any], characters: int, reserved: Amount) -> Amount:
    """Cost of a broken call, by what arrived; all that was reserved when nothing did."""
    if not characters:
        return _without_unknown_price(role_model, reserved)
    prompt, answer = _prompt_tokens(body), characters // CHARACTERS_PER_TOKEN
    return Amount.of(prompt + answer, role_model.cost(prompt, answer))


def _without_unknown_price(role_model: RoleModel, reserved: Amount) -> Amount:
    """The reserved amount; without its dollars when the model has no price."""
    return reserved if role_model.price else Amount(reserved.tokens, None)
