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

from schemas.config.models_config import Part
from schemas.config.policies import ALL
from schemas.item import Provenance
from schemas.spend import WARN_AT, amount, out_of, tokens
from shared.cache.budget_ledger import Amount, Closed, Crowded, Exhausted, Reservation, Treasury
from shared.errors import OverBudget, Transient

log = logging.getLogger(__name__)

CHARACTERS_A_TOKEN = 4
"""A guess, for whatever no endpoint has counted."""
ANSWER_GUESS = 4096
"""Tokens that an answer is taken for at first, when nothing limits it."""
LOOK_AGAIN_S = 0.25
BEATS = 3
"""Beats in the life of a reservation."""
SAY_AGAIN_S = 30.0
CLOSING_S = 2.0
"""So long a call that is cut off by the end of its process waits for Valkey."""


class Bill(Protocol):
    """What is reserved for one call.

    At the end of the call: settled, it is what the provenance says. Broken, interrupted, it is what had arrived, or
    all that was reserved, since it may have been paid. Not taken (Busy, Invalid, …), it is given back.
    """

    def settle(self, call: Provenance) -> None:
        """Tell what the call has cost."""
        ...

    def arrived(self, characters: int) -> None:
        """Tell how much of an answer came that was not finished."""
        ...


class Purse(Protocol):
    """The budget of a factory."""

    def bill(self, part: Part, kind: str, body: Mapping[str, Any]) -> AbstractAsyncContextManager[Bill]:
        """Reserve what a call may cost. Waits while others' reservations stand in the way; raises OverBudget.

        Calls of one `kind` cost about the same.
        """
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class _NoBill:
    def settle(self, call: Provenance) -> None:
        pass

    def arrived(self, characters: int) -> None:
        pass


class Unlimited:
    """The purse of a factory without a budget."""

    @asynccontextmanager
    async def bill(self, part: Part, kind: str, body: Mapping[str, Any]) -> AsyncIterator[Bill]:
        """Reserve nothing."""
        yield _NoBill()

    async def aclose(self) -> None:
        pass


class _Bill:
    def __init__(self) -> None:
        self.call: Provenance | None = None
        self.characters = 0

    def settle(self, call: Provenance) -> None:
        self.call = call

    def arrived(self, characters: int) -> None:
        self.characters = characters


class Limited:
    """The purse of a factory with a budget. Its reservations live as long as this process says so."""

    def __init__(self, treasury: Treasury, lease_s: float) -> None:
        self._treasury = treasury
        self._lease_s = lease_s
        self._held: dict[str, Reservation] = {}
        self._beating: asyncio.Task[None] | None = None
        self._warned: set[tuple[str, str]] = set()
        self._say_again = 0.0

    @asynccontextmanager
    async def bill(self, part: Part, kind: str, body: Mapping[str, Any]) -> AsyncIterator[Bill]:
        """Reserve, and pay at the end."""
        bill, guess = _Bill(), _guess(part, body)
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
            await self._treasury.give_back(reservation)
            raise
        await self._settle(part, reservation, bill.call)

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
            except Exhausted as full:
                raise self._over(model, full) from None
            except Closed:
                self._say("paid work waits until the planner has added up from the log what was spent")
            except Crowded:
                self._say("the rest of the budget is reserved for calls under way: waiting for what they leave")
            else:
                self._warn(reservation)
                return reservation
            await asyncio.sleep(LOOK_AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    async def _settle(self, part: Part, reservation: Reservation, call: Provenance | None) -> None:
        count = tokens(call) if call else None
        if call is None or count is None:
            await self._pay(reservation, _priced(part, reservation.amount), measured=False)
        else:
            await self._pay(reservation, Amount.of(count, call.cost), measured=True)

    async def _pay(self, reservation: Reservation, cost: Amount, *, measured: bool) -> None:
        self._held.pop(reservation.id)
        await self._treasury.settle(reservation, cost, measured=measured)

    def _hold(self, reservation: Reservation) -> None:
        self._held[reservation.id] = reservation
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while self._held:
            await asyncio.sleep(self._lease_s / BEATS)
            await self._treasury.beat(list(self._held.values()))

    def _over(self, model: str, full: Exhausted) -> OverBudget:
        limit = {(scope, unit): most for scope, unit, most in self._treasury.limits(model)}[full.model, full.unit]
        gone, needed = out_of(full.gone, limit, full.unit), amount(full.needed, full.unit)
        return OverBudget(
            f"the budget{_whose(full.model)} has no room: {gone} are spent, and this call takes about {needed}. "
            "Raise the budget in the plan, then replay"
        )

    def _warn(self, reservation: Reservation) -> None:
        for scope, unit, limit in self._treasury.limits(reservation.model):
            gone = reservation.gone[scope, unit]
            if gone >= WARN_AT * limit and (scope, unit) not in self._warned:
                self._warned.add((scope, unit))
                log.warning("budget%s: %s are spent", _whose(scope), out_of(gone, limit, unit))

    def _say(self, what: str) -> None:
        if time.monotonic() >= self._say_again:
            self._say_again = time.monotonic() + SAY_AGAIN_S
            log.warning("%s", what)


def _whose(model: str) -> str:
    return "" if model == ALL else f" for {model}"


def _prompt_tokens(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body["messages"], ensure_ascii=False)) // CHARACTERS_A_TOKEN


def _guess(part: Part, body: Mapping[str, Any]) -> Amount:
    prompt, answer = _prompt_tokens(body), body.get("max_tokens") or ANSWER_GUESS
    return Amount.of(prompt + answer, part.cost(prompt, answer))


def _partly(part: Part, body: Mapping[str, Any], characters: int, reserved: Amount) -> Amount:
    """What an answer has cost that broke off; all that was reserved when nothing of it came."""
    if not characters:
        return _priced(part, reserved)
    prompt, answer = _prompt_tokens(body), characters // CHARACTERS_A_TOKEN
    return Amount.of(prompt + answer, part.cost(prompt, answer))


def _priced(part: Part, reserved: Amount) -> Amount:
    """What was reserved; its dollars are nothing to go by when there is no price."""
    return reserved if part.price else Amount(reserved.tokens, None)
