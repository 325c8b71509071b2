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
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from schemas.plan import ALL, Limit
from shared.cache.client import patiently

ENOUGH = 8
"""Calls of a kind before their mean is believed."""
SETTLED_S = 3600
"""How long a settled call is remembered, in seconds, so that a command that Valkey got twice counts once."""
NANO = 10**9

_COMMON = """
local spent, reserved, open, until_ = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(n) return string.format('%.0f', n + 0) end
local function count(hash, field) return tonumber(redis.call('hget', hash, field) or 0) end
local function add(hash, model, tokens, nano)
    for _, scope in ipairs({'all', model}) do
        redis.call('hincrby', hash, 'tokens/' .. scope, text(tokens))
        redis.call('hincrby', hash, 'nano/' .. scope, text(nano))
    end
end
local function hold(id, tokens, nano, model, ms)
    if redis.call('hsetnx', open, id, text(tokens) .. ' ' .. text(nano) .. ' ' .. model) == 1 then
        add(reserved, model, tokens, nano)
    end
    redis.call('zadd', until_, now + ms, id)
end
local function drop(id)
    local held = redis.call('hget', open, id)
    if not held then return end
    local tokens, nano, model = string.match(held, '^(%d+) (%d+) (.+)$')
    redis.call('hdel', open, id)
    redis.call('zrem', until_, id)
    add(reserved, model, -tokens, -nano)
end
"""

_RESERVE = (
    _COMMON
    + """
local id, model, kind, ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('hexists', spent, 'generation') == 0 then return {'lost'} end
for _, dead in ipairs(redis.call('zrangebyscore', until_, '-inf', now)) do drop(dead) end
local guess = {tokens = tonumber(ARGV[5]), nano = tonumber(ARGV[6])}
local calls = count(spent, 'mean/calls/' .. kind)
local known = calls >= tonumber(ARGV[7])
if known then
    for unit in pairs(guess) do guess[unit] = math.ceil(count(spent, 'mean/' .. unit .. '/' .. kind) / calls) end
end
local answer, wait = {'reserved'}, false
for i = 8, #ARGV, 3 do
    local scope, unit, limit = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local gone = count(spent, unit .. '/' .. scope)
    answer[#answer + 1] = gone
    if not known then guess[unit] = math.min(guess[unit], math.max(limit - gone, 0)) end
    if gone >= limit or gone + guess[unit] > limit then return {'over', scope, unit, gone, guess[unit]} end
end
for i = 8, #ARGV, 3 do
    local scope, unit, limit = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local gone, under_way = count(spent, unit .. '/' .. scope), count(reserved, unit .. '/' .. scope)
    if under_way > 0 and gone + under_way + guess[unit] > limit then wait = true end
end
if wait and redis.call('hexists', open, id) == 0 then return {'wait'} end
hold(id, guess.tokens, guess.nano, model, ms)
answer[#answer + 1] = guess.tokens
answer[#answer + 1] = guess.nano
return answer
"""
)

_SETTLE = (
    _COMMON
    + """
local id, model, kind, tokens, nano = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
drop(id)
if not redis.call('set', KEYS[5], 1, 'NX', 'EX', ARGV[6]) then return end
if not nano then
    nano = 0
    for _, scope in ipairs({'all', model}) do redis.call('hincrby', spent, 'unpriced/' .. scope, 1) end
end
add(spent, model, tokens, nano)
if ARGV[7] == '1' then
    redis.call('hincrby', spent, 'mean/calls/' .. kind, 1)
    redis.call('hincrby', spent, 'mean/tokens/' .. kind, text(tokens))
    redis.call('hincrby', spent, 'mean/nano/' .. kind, text(nano))
end
"""
)

_GIVE_BACK = _COMMON + "drop(ARGV[1])"

_BEAT = (
    _COMMON
    + """
for i = 2, #ARGV, 4 do hold(ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), ARGV[i + 3], ARGV[1]) end
"""
)

_OPEN = (
    _COMMON
    + """
if redis.call('hexists', spent, 'generation') == 1 then return 0 end
for i = 2, #ARGV, 2 do redis.call('hincrby', spent, ARGV[i], ARGV[i + 1]) end
redis.call('hset', spent, 'generation', ARGV[1])
return 1
"""
)


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


class Lost(Exception):
    """Valkey does not know what has been spent."""


class Crowded(Exception):
    """The rest is reserved for calls that are under way: some of it may come back."""


class Exhausted(Exception):
    """What is spent leaves no room."""

    def __init__(self, model: str, unit: str, gone: float, needed: float) -> None:
        super().__init__(f"{gone} {unit} of {model} are spent")
        self.model, self.unit, self.gone, self.needed = model, unit, gone, needed


class Treasury:
    """The books of one factory. Every method waits while Valkey is away."""

    def __init__(self, valkey: Redis, factory: str, limits: Mapping[str, Limit], lease_s: float) -> None:
        self._valkey = valkey
        self._lease_ms = int(lease_s * 1000)
        self._limits = limits
        self._prefix = f"{factory}:budget"
        self._keys = [f"{self._prefix}:{name}" for name in ("spent", "reserved", "open", "until")]
        scripts = (_RESERVE, _SETTLE, _GIVE_BACK, _BEAT, _OPEN)
        self._reserve, self._settle, self._give_back, self._beat, self._open = map(valkey.register_script, scripts)

    def limits(self, model: str) -> list[tuple[str, str, float]]:
        """The limits that a call of a model is under, as model, unit, limit."""
        units = ((scope, self._limits[scope]) for scope in (ALL, model) if scope in self._limits)
        found = [(scope, unit, getattr(limit, unit)) for scope, limit in units for unit in ("tokens", "dollars")]
        return [(scope, unit, most) for scope, unit, most in found if most is not None]

    async def reserve(self, model: str, kind: str, guess: Amount) -> Reservation:
        """Set aside what a call of this kind has cost so far, or at first the guess.

        Raises Lost, Crowded or Exhausted.
        """
        id_, limits = uuid4().hex, self.limits(model)
        told: list[str | int] = [part for scope, unit, most in limits for part in (scope, *_counted(unit, most))]
        call: list[str | int] = [id_, model, kind, self._lease_ms, guess.tokens, guess.nano or 0]
        arguments = [*call, ENOUGH, *told]
        status, *rest = await patiently(lambda: self._reserve(self._keys, arguments))
        match status:
            case b"lost":
                raise Lost
            case b"wait":
                raise Crowded
            case b"over":
                scope, unit, gone, needed = rest
                name = "tokens" if unit == b"tokens" else "dollars"
                raise Exhausted(scope.decode(), name, _told(name, gone), _told(name, needed))
        *gone, tokens, nano = rest
        spent = {(scope, unit): _told(unit, n) for (scope, unit, _), n in zip(limits, gone, strict=True)}
        return Reservation(id_, model, kind, Amount(tokens, nano), spent)

    async def settle(self, reservation: Reservation, cost: Amount, *, measured: bool) -> None:
        """Turn a reservation into what the call has cost; `measured`: it is known, and counts for the mean."""
        one = reservation
        nano: str | int = "" if cost.nano is None else cost.nano
        arguments: list[str | int] = [one.id, one.model, one.kind, cost.tokens, nano, SETTLED_S, int(measured)]
        await patiently(lambda: self._settle([*self._keys, f"{self._prefix}:settled:{one.id}"], arguments))

    async def give_back(self, reservation: Reservation) -> None:
        """Nothing was paid."""
        await patiently(lambda: self._give_back(self._keys, [reservation.id]))

    async def beat(self, reservations: Iterable[Reservation]) -> None:
        """Tell that the calls are still under way; also to a Valkey that was emptied meanwhile."""
        held = ((one.id, one.amount, one.model) for one in reservations)
        each: list[str | int] = [
            part for id_, amount, model in held for part in (id_, amount.tokens, amount.nano or 0, model)
        ]
        await patiently(lambda: self._beat(self._keys, [self._lease_ms, *each]))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._valkey.aclose()

    async def is_open(self) -> bool:
        """Whether the sums are whole."""
        return bool(await patiently(lambda: self._valkey.hexists(self._keys[0], "generation")))

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
        return bool(await patiently(lambda: self._open(self._keys, arguments)))

    async def close(self) -> None:
        """Count no longer: calls are made that nobody settles. The next one to open adds the log up again."""
        await patiently(lambda: self._valkey.delete(*self._keys))

    async def spent(self) -> dict[str, Amount]:
        """What has been spent by model, ALL for the sum."""
        return await self._read(self._keys[0])

    async def reserved(self) -> dict[str, Amount]:
        """What is set aside for calls under way, in the same form."""
        return await self._read(self._keys[1])

    async def _read(self, key: str) -> dict[str, Amount]:
        fields: Mapping[Any, Any] = await patiently(lambda: self._valkey.hgetall(key))
        found = {name.decode(): int(value) for name, value in fields.items() if name != b"generation"}
        models = [name.removeprefix("tokens/") for name in found if name.startswith("tokens/")]
        unpriced = {model for model in models if found.get(f"unpriced/{model}")}
        return {
            model: Amount(found[f"tokens/{model}"], None if model in unpriced else found[f"nano/{model}"])
            for model in models
        }


def _counted(unit: str, most: float) -> tuple[str, int]:
    """A limit as the script counts it."""
    return ("tokens", int(most)) if unit == "tokens" else ("nano", round(most * NANO))


def _told(unit: str, number: int) -> float:
    return number if unit == "tokens" else number / NANO
