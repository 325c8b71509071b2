"""What the model calls of all processes have cost, and what those under way may cost: the treasury, in Valkey.

reserve ─► (call) ─► settle | give back          a process beats for what it has reserved, as for its leases

One command each, so that two processes never spend the same rest. `spent + reserved + the new call` stays within every
limit; a call is taken for the mean of its kind. So what is spent can pass a limit only by what the calls under way cost
more than that mean.

The sums and the key that tells that they are whole (`generation`) are fields of one hash: a Valkey that was emptied has
neither, and nothing is reserved until somebody has added up what the log tells (`open`). Dollars are counted in whole
nanodollars.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from schemas.config.policies import ALL, Limit
from shared.cache.auto_pipeline import AutoPipeline, QueueCommands
from shared.cache.budget_ledger_scripts import BEAT, GIVE_BACK, OPEN, RESERVE, SETTLE
from shared.cache.client import retry_while_away

ENOUGH = 8
"""Calls of a kind before their mean is believed."""
SETTLED_S = 3600
"""How long a settled call is remembered, in seconds, so that a command that Valkey got twice counts once."""
NANO = 10**9


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens and nanodollars of one call, or of many; `None`: the price of a call is unknown."""

    tokens: int
    nano: int | None

    @classmethod
    def of(cls, tokens: int, dollars: float | None) -> "Amount":
        """The same in dollars."""
        return cls(tokens, None if dollars is None else round(dollars * NANO))

    @property
    def dollars(self) -> float | None:
        return None if self.nano is None else self.nano / NANO


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside for one call."""

    id: str
    model: str
    kind: str
    amount: Amount
    gone: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """What was spent when it was made, by model and unit, for every limit that applies."""


class NotInitialised(Exception):
    """The books are closed: Valkey does not know what has been spent."""


class Contended(Exception):
    """The rest is reserved for calls that are under way: some of it may come back."""


class LimitReached(Exception):
    """What is spent leaves no room."""

    def __init__(self, model: str, unit: str, gone: float, needed: float) -> None:
        super().__init__(f"{gone} {unit} of {model} are spent")
        self.model, self.unit, self.gone, self.needed = model, unit, gone, needed


class BudgetLedger:
    """The books of one factory. Every method waits while Valkey is away."""

    def __init__(self, valkey: Redis, factory: str, limits: Mapping[str, Limit], lease_s: float) -> None:
        self._valkey = valkey
        self._lease_ms = int(lease_s * 1000)
        self._limits = limits
        self._prefix = f"{factory}:budget"
        self._keys = [f"{self._prefix}:{name}" for name in ("spent", "reserved", "open", "until")]
        self._batch = AutoPipeline(valkey)

    def limits(self, model: str) -> list[tuple[str, str, float]]:
        """The limits that a call of a model is under, as model, unit, limit."""
        units = ((scope, self._limits[scope]) for scope in (ALL, model) if scope in self._limits)
        found = [(scope, unit, getattr(limit, unit)) for scope, limit in units for unit in ("tokens", "dollars")]
        return [(scope, unit, most) for scope, unit, most in found if most is not None]

    async def reserve(self, model: str, kind: str, guess: Amount) -> Reservation:
        """Set aside what a call of this kind has cost so far, or at first the guess.

        Raises Closed, Crowded or Exhausted.
        """
        id_, limits = uuid4().hex, self.limits(model)
        told: list[str | int] = [part for scope, unit, most in limits for part in (scope, *_counted(unit, most))]
        call: list[str | int] = [id_, model, kind, self._lease_ms, guess.tokens, guess.nano or 0]
        arguments = [*call, ENOUGH, *told]
        status, *rest = await self._run(RESERVE, self._keys, arguments)
        match status:
            case b"lost":
                raise NotInitialised
            case b"wait":
                raise Contended
            case b"over":
                scope, unit, gone, needed = rest
                name = "tokens" if unit == b"tokens" else "dollars"
                raise LimitReached(scope.decode(), name, _told(name, gone), _told(name, needed))
        *gone, tokens, nano = rest
        spent = {(scope, unit): _told(unit, n) for (scope, unit, _), n in zip(limits, gone, strict=True)}
        return Reservation(id_, model, kind, Amount(tokens, nano), spent)

    async def commit(self, reservation: Reservation, cost: Amount, *, measured: bool) -> None:
        """Turn a reservation into what the call has cost; `measured`: it is known, and counts for the mean."""
        one = reservation
        nano: str | int = "" if cost.nano is None else cost.nano
        arguments: list[str | int] = [one.id, one.model, one.kind, cost.tokens, nano, SETTLED_S, int(measured)]
        await self._run(SETTLE, [*self._keys, f"{self._prefix}:settled:{one.id}"], arguments)

    async def release(self, reservation: Reservation) -> None:
        """Nothing was paid."""
        await self._run(GIVE_BACK, self._keys, [reservation.id])

    async def renew(self, reservations: Iterable[Reservation]) -> None:
        """Tell that the calls are still under way; also to a Valkey that was emptied meanwhile."""
        held = ((one.id, one.amount, one.model) for one in reservations)
        each: list[str | int] = [
            part for id_, amount, model in held for part in (id_, amount.tokens, amount.nano or 0, model)
        ]
        await self._run(BEAT, self._keys, [self._lease_ms, *each])

    async def aclose(self) -> None:
        """Close the connection."""
        await self._valkey.aclose()

    async def is_open(self) -> bool:
        """Whether the sums are whole."""
        return bool(await self._execute(lambda pipe: pipe.hexists(self._keys[0], "generation")))

    async def open(self, costs: Iterable[tuple[str, str, Amount]]) -> bool:
        """Begin with calls of the past, as model, kind and cost. False: somebody was faster.

        What was settled since Valkey was emptied stays, so a call that ended meanwhile may count twice, but not never.
        """
        sums: Counter[str] = Counter()
        for model, kind, cost in costs:
            parts = {"tokens": cost.tokens, "nano": cost.nano or 0, "unpriced": int(cost.nano is None)}
            sums.update({f"{name}/{scope}": n for scope in (ALL, model) for name, n in parts.items()})
            sums.update({f"mean/{name}/{kind}": n for name, n in {**parts, "calls": 1}.items()})
        arguments = [uuid4().hex, *(part for pair in sums.items() for part in pair)]
        return bool(await self._run(OPEN, self._keys, arguments))

    async def close(self) -> None:
        """Count no longer: calls are made that nobody settles. The next one to open adds the log up again."""
        await self._execute(lambda pipe: pipe.delete(*self._keys))

    async def spent(self) -> dict[str, Amount]:
        """What has been spent by model, ALL for the sum."""
        return await self._read(self._keys[0])

    async def reserved(self) -> dict[str, Amount]:
        """What is set aside for calls under way, in the same form."""
        return await self._read(self._keys[1])

    async def _read(self, key: str) -> dict[str, Amount]:
        fields: Mapping[bytes, bytes] = await self._execute(lambda pipe: pipe.hgetall(key))
        found = {name.decode(): int(value) for name, value in fields.items() if name != b"generation"}
        models = [name.removeprefix("tokens/") for name in found if name.startswith("tokens/")]
        unpriced = {model for model in models if found.get(f"unpriced/{model}")}
        return {
            model: Amount(found[f"tokens/{model}"], None if model in unpriced else found[f"nano/{model}"])
            for model in models
        }

    async def _run(self, script: str, keys: list[str], arguments: list[str | int]) -> Any:
        return await self._execute(lambda pipe: pipe.eval(script, len(keys), *keys, *arguments))

    async def _execute(self, command: QueueCommands) -> Any:
        """Wait for the answer to one command."""
        (answer,) = await retry_while_away(partial(self._batch.execute, command))
        return answer


def _counted(unit: str, most: float) -> tuple[str, int]:
    """A limit as the script counts it."""
    return ("tokens", int(most)) if unit == "tokens" else ("nano", round(most * NANO))


def _told(unit: str, number: int) -> float:
    return number if unit == "tokens" else number / NANO
