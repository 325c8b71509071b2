"""Who pays for a call. Without a budget nobody asks."""

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

log = logging.getLogger(__name__)

CHARACTERS_A_TOKEN = 4
"""A guess, for whatever no endpoint has counted."""
ANSWER_GUESS = 4096
"""Tokens that an answer is taken for at first, when nothing limits it."""
RETRY_S = 0.25
RENEWALS_PER_TTL = 3
"""Beats in the life of a reservation."""
WARN_EVERY_S = 30.0
CLOSING_S = 2.0
"""So long a call that is cut off by the end of its process waits for Valkey."""


class Charge(Protocol):
    """What is reserved for one call.

    At the end of the call: settled, it is what the provenance says. Broken, interrupted, it is what had arrived, or
    all that was reserved, since it may have been paid. Not taken (Busy, Invalid, …), it is given back.
    """

    def commit(self, call: Provenance) -> None:
        """Tell what the call has cost."""
        ...

    def partial(self, characters: int) -> None:
        """Tell how much of an answer came that was not finished."""
        ...


class BudgetGuard(Protocol):
    """The budget of a factory."""

    def charge(self, part: RoleModel, kind: str, body: Mapping[str, Any]) -> AbstractAsyncContextManager[Charge]:
        """Reserve what a call may cost. Waits while others' reservations stand in the way; raises OverBudget.

        Calls of one `kind` cost about the same.
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


class Unlimited:
    """The purse of a factory without a budget."""

    @asynccontextmanager
    async def charge(self, part: RoleModel, kind: str, body: Mapping[str, Any]) -> AsyncIterator[Charge]:
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
    """The purse of a factory with a budget. Its reservations live as long as this process says so."""

    def __init__(self, treasury: BudgetLedger, lease_s: float) -> None:
        self._treasury = treasury
        self._lease_s = lease_s
        self._held: dict[str, Reservation] = {}
        self._beating: asyncio.Task[None] | None = None
        self._warned: set[tuple[str, str]] = set()
        self._say_again = 0.0

    @asynccontextmanager
    async def charge(self, part: RoleModel, kind: str, body: Mapping[str, Any]) -> AsyncIterator[Charge]:
        """Reserve, and pay at the end."""
        bill, guess = _Charge(), _guess(part, body)
        reservation = await self._reserved(part.model, f"{kind}/{part.model}", guess)
        self._hold(reservation)
        try:
            yield bill
        except (Transient, asyncio.CancelledError) as error:
            cost = _partly(part, body, bill.characters, reservation.amount)
            closing = CLOSING_S if isinstance(error, asyncio.CancelledError) else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(closing):
                    await self._pay(reservation, cost, measured=False)
            raise
        except BaseException:
            self._held.pop(reservation.id)
            await self._treasury.release(reservation)
            raise
        await self._commit(part, reservation, bill.call)

    async def aclose(self) -> None:
        """Stop beating, close the connection."""
        if self._beating:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
        await self._treasury.aclose()

    async def _reserved(self, model: str, kind: str, guess: Amount) -> Reservation:
        while True:
            try:
                reservation = await self._treasury.reserve(model, kind, guess)
            except LimitReached as full:
                raise self._over(model, full) from None
            except NotInitialised:
                self._log("paid work waits until the planner has added up from the log what was spent")
            except Contended:
                self._log("the rest of the budget is reserved for calls under way: waiting for what they leave")
            else:
                self._warn(reservation)
                return reservation
            await asyncio.sleep(RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    async def _commit(self, part: RoleModel, reservation: Reservation, call: Provenance | None) -> None:
        count = tokens(call) if call else None
        if call is None or count is None:
            await self._pay(reservation, _priced(part, reservation.amount), measured=False)
        else:
            await self._pay(reservation, Amount.of(count, call.cost), measured=True)

    async def _pay(self, reservation: Reservation, cost: Amount, *, measured: bool) -> None:
        self._held.pop(reservation.id)
        await self._treasury.commit(reservation, cost, measured=measured)

    def _hold(self, reservation: Reservation) -> None:
        self._held[reservation.id] = reservation
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while self._held:
            await asyncio.sleep(self._lease_s / RENEWALS_PER_TTL)
            await self._treasury.renew(list(self._held.values()))

    def _over(self, model: str, full: LimitReached) -> OverBudget:
        limit = {(scope, unit): most for scope, unit, most in self._treasury.limits(model)}[full.model, full.unit]
        gone, needed = out_of(full.gone, limit, full.unit), amount(full.needed, full.unit)
        return OverBudget(
            f"the budget{_limit_of(full.model)} has no room: {gone} are spent, and this call takes about {needed}. "
            "Raise the budget in the plan, then replay"
        )

    def _warn(self, reservation: Reservation) -> None:
        for scope, unit, limit in self._treasury.limits(reservation.model):
            gone = reservation.gone[scope, unit]
            if gone >= WARN_AT * limit and (scope, unit) not in self._warned:
                self._warned.add((scope, unit))
                log.warning("budget%s: %s are spent", _limit_of(scope), out_of(gone, limit, unit))

    def _log(self, what: str) -> None:
        if time.monotonic() >= self._say_again:
            self._say_again = time.monotonic() + WARN_EVERY_S
            log.warning("%s", what)


def _limit_of(model: str) -> str:
    return "" if model == ALL else f" for {model}"


def _prompt_tokens(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body["messages"], ensure_ascii=False)) // CHARACTERS_A_TOKEN


def _guess(part: RoleModel, body: Mapping[str, Any]) -> Amount:
    prompt, answer = _prompt_tokens(body), body.get("max_tokens") or ANSWER_GUESS
    return Amount.of(prompt + answer, part.cost(prompt, answer))


def _partly(part: RoleModel, body: Mapping[str, Any], characters: int, reserved: Amount) -> Amount:
    """What an answer has cost that broke off; all that was reserved when nothing of it came."""
    if not characters:
        return _priced(part, reserved)
    prompt, answer = _prompt_tokens(body), characters // CHARACTERS_A_TOKEN
    return Amount.of(prompt + answer, part.cost(prompt, answer))


def _priced(part: RoleModel, reserved: Amount) -> Amount:
    """What was reserved; its dollars are nothing to go by when there is no price."""
    return reserved if part.price else Amount(reserved.tokens, None)
