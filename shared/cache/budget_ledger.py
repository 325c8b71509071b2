"""The budget ledger in Valkey: what the model calls of all processes have cost, and what calls in flight may cost.

reserve ─► (call) ─► commit | release          a process renews its reservations, as it renews its leases

Each step is one command, so two processes never reserve the same remainder. `spent + reserved + new call` stays within
every limit. A new call is estimated by the mean of its kind, so the total can exceed a limit only by what the calls in
flight cost beyond that mean.

The sums and the field `generation`, which marks them as complete, are in one hash. An emptied Valkey has neither, and
nothing can be reserved until the costs on the log are added up again (`open`). Dollars are whole nanodollars.

Keys: hashes `spent` and `reserved` (unit/model → sum; `spent` also has the means by kind, and `generation`), hash
`open` (reservation → its amounts and model), sorted set `until` (reservation → expiry in Unix milliseconds).
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
from shared.cache.client import retry_while_unavailable
from shared.cache.lua import script

MIN_CALLS_FOR_MEAN = 8
"""Calls of a kind before their mean is used."""
COMMIT_TTL_S = 3600
"""How long a committed call is remembered, so that a command that the client sends twice counts once."""
NANO = 10**9

_RESERVE, _COMMIT, _RELEASE, _RENEW, _OPEN = (
    script("budget_common", f"budget_{name}") for name in ("reserve", "commit", "release", "renew", "open")
)


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens and nanodollars of one or many calls. `nano` is `None` when a price is unknown."""

    tokens: int
    nano: int | None

    @classmethod
    def of(cls, tokens: int, dollars: float | None) -> "Amount":
        """Build from dollars."""
        return cls(tokens, None if dollars is None else round(dollars * NANO))

    @property
    def dollars(self) -> float | None:
        return None if self.nano is None else self.nano / NANO


@dataclass(frozen=True, slots=True)
class Reservation:
    """Budget reserved for one call."""

    id: str
    model: str
    kind: str
    amount: Amount
    spent: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Spent at the time of the reservation, by model and unit, for every limit that applies."""


class NotInitialised(Exception):
    """The ledger is not initialised: Valkey does not have the sums."""


class Contended(Exception):
    """The remainder is reserved for calls in flight, which may release some of it."""


class LimitReached(Exception):
    """What is spent leaves no room for the call."""

    def __init__(self, model: str, unit: str, spent: float, needed: float) -> None:
        super().__init__(f"{spent} {unit} of {model} are spent")
        self.model, self.unit, self.spent, self.needed = model, unit, spent, needed


class BudgetLedger:
    """The ledger of one factory. Every method waits while Valkey is unavailable."""

    def __init__(self, valkey: Redis, factory: str, limits: Mapping[str, Limit], lease_s: float) -> None:
        self._valkey = valkey
        self._lease_ms = int(lease_s * 1000)
        self._limits = limits
        self._prefix = f"{factory}:budget"
        self._keys = [f"{self._prefix}:{name}" for name in ("spent", "reserved", "open", "until")]
        self._batch = AutoPipeline(valkey)

    def limits(self, model: str) -> list[tuple[str, str, float]]:
        """List the limits that apply to a model's calls, as (model or ALL, unit, limit)."""
        scopes = ((scope, self._limits[scope]) for scope in (ALL, model) if scope in self._limits)
        limits = [(scope, unit, getattr(limit, unit)) for scope, limit in scopes for unit in ("tokens", "dollars")]
        return [(scope, unit, most) for scope, unit, most in limits if most is not None]

    async def reserve(self, model: str, kind: str, estimate: Amount) -> Reservation:
        """Reserve the mean cost of this kind of call, or the estimate until there is a mean.

        Raises NotInitialised, Contended or LimitReached.
        """
        id_, limits = uuid4().hex, self.limits(model)
        call: list[str | int] = [id_, model, kind, self._lease_ms, estimate.tokens, estimate.nano or 0]
        bounds = [part for scope, unit, most in limits for part in (scope, *_to_lua(unit, most))]
        status, *values = await self._run(_RESERVE, self._keys, [*call, MIN_CALLS_FOR_MEAN, *bounds])
        match status:
            case b"lost":
                raise NotInitialised
            case b"wait":
                raise Contended
            case b"over":
                scope, lua_unit, total, needed = values
                unit = "tokens" if lua_unit == b"tokens" else "dollars"
                raise LimitReached(scope.decode(), unit, _from_lua(unit, total), _from_lua(unit, needed))
        *totals, tokens, nano = values
        spent = {(scope, unit): _from_lua(unit, n) for (scope, unit, _), n in zip(limits, totals, strict=True)}
        return Reservation(id_, model, kind, Amount(tokens, nano), spent)

    async def commit(self, reservation: Reservation, cost: Amount, *, measured: bool) -> None:
        """Replace a reservation by the cost of the call. A `measured` cost also counts for the mean."""
        one = reservation
        nano: str | int = "" if cost.nano is None else cost.nano
        arguments: list[str | int] = [one.id, one.model, one.kind, cost.tokens, nano, COMMIT_TTL_S, int(measured)]
        await self._run(_COMMIT, [*self._keys, f"{self._prefix}:settled:{one.id}"], arguments)

    async def release(self, reservation: Reservation) -> None:
        """Give a reservation back: nothing was paid."""
        await self._run(_RELEASE, self._keys, [reservation.id])

    async def renew(self, reservations: Iterable[Reservation]) -> None:
        """Extend reservations of calls in flight. Adds them again to a Valkey that was emptied meanwhile."""
        each: list[str | int] = [
            part for one in reservations for part in (one.id, one.amount.tokens, one.amount.nano or 0, one.model)
        ]
        await self._run(_RENEW, self._keys, [self._lease_ms, *each])

    async def aclose(self) -> None:
        """Close the connection."""
        await self._valkey.aclose()

    async def is_open(self) -> bool:
        """Whether the sums are complete."""
        return bool(await self._execute(lambda pipe: pipe.hexists(self._keys[0], "generation")))

    async def open(self, costs: Iterable[tuple[str, str, Amount]]) -> bool:
        """Initialise with past calls, as (model, kind, cost). Returns False when another process did so first.

        Calls committed since Valkey was emptied stay counted: a call that ends meanwhile may count twice, never zero
        times.
        """
        sums: Counter[str] = Counter()
        for model, kind, cost in costs:
            parts = {"tokens": cost.tokens, "nano": cost.nano or 0, "unpriced": int(cost.nano is None)}
            sums.update({f"{name}/{scope}": n for scope in (ALL, model) for name, n in parts.items()})
            sums.update({f"mean/{name}/{kind}": n for name, n in {**parts, "calls": 1}.items()})
        arguments = [uuid4().hex, *(part for pair in sums.items() for part in pair)]
        return bool(await self._run(_OPEN, self._keys, arguments))

    async def close(self) -> None:
        """Delete the sums when calls are made without the ledger. The next `open` adds up the log again."""
        await self._execute(lambda pipe: pipe.delete(*self._keys))

    async def spent(self) -> dict[str, Amount]:
        """Amounts spent, by model; ALL is the sum."""
        return await self._read(self._keys[0])

    async def reserved(self) -> dict[str, Amount]:
        """Amounts reserved for calls in flight, by model; ALL is the sum."""
        return await self._read(self._keys[1])

    async def _read(self, key: str) -> dict[str, Amount]:
        fields: Mapping[bytes, bytes] = await self._execute(lambda pipe: pipe.hgetall(key))
        sums = {name.decode(): int(value) for name, value in fields.items() if name != b"generation"}
        models = [name.removeprefix("tokens/") for name in sums if name.startswith("tokens/")]
        unpriced = {model for model in models if sums.get(f"unpriced/{model}")}
        return {
            model: Amount(sums[f"tokens/{model}"], None if model in unpriced else sums[f"nano/{model}"])
            for model in models
        }

    async def _run(self, script: str, keys: list[str], arguments: list[str | int]) -> Any:
        return await self._execute(lambda pipe: pipe.eval(script, len(keys), *keys, *arguments))

    async def _execute(self, command: QueueCommands) -> Any:
        (reply,) = await retry_while_unavailable(partial(self._batch.execute, command))
        return reply


def _to_lua(unit: str, limit: float) -> tuple[str, int]:
    """Convert a limit to the script's unit: tokens or nanodollars."""
    return ("tokens", int(limit)) if unit == "tokens" else ("nano", round(limit * NANO))


def _from_lua(unit: str, number: int) -> float:
    return number if unit == "tokens" else number / NANO
