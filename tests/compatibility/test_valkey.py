"""Keys and values in Valkey are those of the version before, and its own are understood."""

import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from tests.compatibility import names
from tests.compatibility.recordings import FACTORY, recorded

FOREVER_DAYS = 36500
UNFINISHED, RECORDED, DONE, CLAIMED, NEW = (UUID(int=number) for number in range(1, 6))
COST = ("sim-writer", "problem_writer/draft/sim-writer", names.Amount(30, 7))
TRAIN = "A train of 120 m passes a mast in 6 s. How fast is it, in metres per second?"
STATEMENTS = ((TRAIN, "20"), (TRAIN.replace("120", "150").replace("6 s", "5 s"), "30"), (TRAIN, "20"))


@pytest.fixture
async def valkey(stack: names.Stack) -> AsyncIterator[Redis]:
    """An empty database beside that of the other tests."""
    client = names.connect(names.ValkeyAccess(url(stack)))
    await client.flushdb()
    yield client
    await client.flushdb()
    await client.aclose()


def url(stack: names.Stack) -> str:
    return stack.valkey_url.removesuffix("/0") + "/9"


async def test_the_same_steps_leave_the_same_keys_and_values(stack: names.Stack, valkey: Redis) -> None:
    """The steps are those of `recording`."""
    store = names.IdempotencyStore(valkey, FACTORY, "verifier-a", FOREVER_DAYS, 3600.0)
    for one in (UNFINISHED, RECORDED, DONE, CLAIMED):
        known = await store.claim(one)
        assert known.lease
        if one == CLAIMED:
            continue
        first = await store.begin(one)
        if one == UNFINISHED:
            await store.mark_failed(one, first)
            await store.begin(one)
            async with store.holding(one, known.lease, {}) as calls:
                calls.put("a call", b"its result")
                await calls.save()
        if one in (RECORDED, DONE):
            await store.record(one, b"an outcome")
        if one == DONE:
            await store.done(one)
    ledger = names.BudgetLedger(valkey, FACTORY, {}, 3600.0)
    assert await ledger.open([COST, COST])
    settled = await ledger.reserve("sim-writer", COST[1], names.Amount(50, 0))
    await ledger.commit(settled, names.Amount(40, 9), measured=True)
    await ledger.reserve("sim-solver", "synthesis/solve/sim-solver", names.Amount(70, 5))
    twins = index(stack)
    assert await twins.rebuild(nothing()) == 0
    for number, (statement, answer) in enumerate(STATEMENTS):
        await twins.add(fingerprint(statement, answer), UUID(int=20 + number))
    await twins.close()
    meant = recorded("valkey")
    assert masked(await dumped(valkey)) == masked([{n: v for n, v in one.items() if n != "dump"} for one in meant])


async def test_what_the_version_before_kept_is_understood(stack: names.Stack, valkey: Redis) -> None:
    for one in recorded("valkey"):
        if ":lease:" not in one["key"]:  # they have run out
            await valkey.restore(one["key"], 0, base64.b64decode(one["dump"]))
    store = names.IdempotencyStore(valkey, FACTORY, "verifier-a", FOREVER_DAYS, 3600.0)
    found = {one: await store.claim(one) for one in (UNFINISHED, RECORDED, DONE, CLAIMED, NEW)}
    assert (found[UNFINISHED].attempts, found[UNFINISHED].crashes) == (2, 1)
    assert found[UNFINISHED].calls == {"a call": b"its result"}
    assert found[RECORDED].outcome == b"an outcome"
    assert [one for one, known in found.items() if known.done] == [DONE]
    assert [one for one, known in found.items() if known.lease] == [UNFINISHED, RECORDED, CLAIMED, NEW]

    ledger = names.BudgetLedger(valkey, FACTORY, {}, 3600.0)
    assert await ledger.is_open()
    assert await ledger.spent() == {"all": names.Amount(100, 23), "sim-writer": names.Amount(100, 23)}
    reserved = await ledger.reserved()
    assert (reserved["all"], reserved["sim-solver"]) == (names.Amount(70, 5), names.Amount(70, 5))

    twins = index(stack)
    assert await twins.is_open()
    for number, kind in enumerate(("new", "new", "repeat")):  # each decision is kept
        assert (await twins.add(fingerprint(*STATEMENTS[number]), UUID(int=20 + number))).kind == kind
    likeness = await twins.add(fingerprint(*STATEMENTS[1]), UUID(int=30))
    assert (likeness.kind, likeness.of) == ("repeat", UUID(int=21))
    await twins.close()


def index(stack: names.Stack) -> Any:
    access = names.ValkeyAccess(url(stack))
    return names.ValkeyNearDuplicateIndex(access, FACTORY, names.FEATURES, 3, FOREVER_DAYS, 3600.0)


def fingerprint(statement: str, answer: str) -> Any:
    return names.fingerprint(names.Problem(statement=statement, answer=answer, answer_type="number", rationale=""))


async def nothing() -> Any:
    for one in ():
        yield one


async def dumped(client: Redis) -> list[dict[str, Any]]:
    """Every key as it was recorded."""
    found = []
    for key in sorted([key async for key in client.scan_iter("*")]):
        kind = (await client.type(key)).decode()
        reads: dict[str, Any] = {
            "string": client.get,
            "hash": client.hgetall,
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1),
        }
        value = plain(await reads[kind](key))
        found.append({"key": key.decode(), "type": kind, "expires": await client.pttl(key) > 0, "value": value})
    return found


def plain(value: Any) -> Any:
    """Bytes as hexadecimal, in an order of their own."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in sorted(value.items())}
    if isinstance(value, set | list):
        return sorted(plain(one) for one in value)
    return value.decode() if value.isascii() and value.decode().isprintable() else value.hex()


def masked(keys: list[dict[str, Any]]) -> list[Any]:
    """Without what is made anew each time: ids of 16 bytes."""
    return [_masked(one) for one in keys]


def _masked(one: dict[str, Any]) -> dict[str, Any]:
    if ":twins:" in one["key"]:
        drawn = {"value": {n: v for n, v in one["value"].items() if n != "generation"}} if one["type"] == "hash" else {}
        return {**one, **drawn}
    found: dict[str, Any] = json.loads(re.sub(r"[0-9a-f]{32}\b", "ID", json.dumps(one)))
    return {**found, "value": sorted(found["value"])} if isinstance(found["value"], list) else found
