"""Valkey: today's keys and values equal those of the previous version, and its keys are understood."""

import base64
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from tests.compatibility import names
from tests.compatibility.recordings import FACTORY, load_json

FOREVER_DAYS = 36500
UNFINISHED, RECORDED, DONE, CLAIMED, NEW = (UUID(int=number) for number in range(1, 6))
COST = ("sim-writer", "problem_writer/draft/sim-writer", names.Amount(30, 7))
TRAIN = "A train of 120 m passes a mast in 6 s. How fast is it, in metres per second?"
FEATURES = "1.2"
"""Of the version before. Fingerprints of today have a version of their own, and an index that is rebuilt."""
PROBLEMS = ((TRAIN, "20"), (TRAIN.replace("120", "150").replace("6 s", "5 s"), "30"), (TRAIN, "20"))


@pytest.fixture
async def valkey(stack: names.Stack) -> AsyncIterator[Redis]:
    """An empty database that no other test uses."""
    client = names.connect(names.ValkeyAccess(url(stack)))
    await client.flushdb()
    yield client
    await client.flushdb()
    await client.aclose()


def url(stack: names.Stack) -> str:
    return stack.valkey_url.removesuffix("/0") + "/9"


async def test_the_same_steps_leave_the_same_keys_and_values(stack: names.Stack, valkey: Redis) -> None:
    """The steps are those of `recording/valkey.py`."""
    store = names.IdempotencyStore(valkey, FACTORY, "verifier-a", FOREVER_DAYS, 3600.0)
    for event in (UNFINISHED, RECORDED, DONE, CLAIMED):
        claim = await store.claim(event)
        assert claim.lease
        if event == CLAIMED:
            continue
        attempt = await store.begin(event)
        if event == UNFINISHED:
            await store.mark_failed(event, attempt)
            await store.begin(event)
            async with store.hold_lease(event, claim.lease, {}) as calls:
                calls.put("a call", b"its result")
                await calls.save()
        if event in (RECORDED, DONE):
            await store.record(event, b"an outcome")
        if event == DONE:
            store.done(event)
            await store.flush()
    ledger = names.BudgetLedger(valkey, FACTORY, {}, 3600.0)
    assert await ledger.open([COST, COST])
    reservation = await ledger.reserve("sim-writer", COST[1], names.Amount(50, 0))
    await ledger.commit(reservation, names.Amount(40, 9), measured=True)
    await ledger.reserve("sim-solver", "synthesis/solve/sim-solver", names.Amount(70, 5))
    index = open_index(stack)
    assert await index.rebuild(no_problems()) == 0
    for number, (statement, answer) in enumerate(PROBLEMS):
        await index.add(fingerprint(statement, answer), UUID(int=20 + number))
    await index.close()
    recorded = [{name: value for name, value in key.items() if name != "dump"} for key in load_json("valkey")]
    assert [mask_ids(key) for key in await read_keys(valkey)] == [mask_ids(key) for key in recorded]


async def test_keys_of_the_previous_version_are_understood(stack: names.Stack, valkey: Redis) -> None:
    for key in load_json("valkey"):
        if ":lease:" not in key["key"]:  # leases have expired
            await valkey.restore(key["key"], 0, base64.b64decode(key["dump"]))
    store = names.IdempotencyStore(valkey, FACTORY, "verifier-a", FOREVER_DAYS, 3600.0)
    claims = {event: await store.claim(event) for event in (UNFINISHED, RECORDED, DONE, CLAIMED, NEW)}
    assert (claims[UNFINISHED].attempts, claims[UNFINISHED].crashes) == (2, 1)
    assert claims[UNFINISHED].calls == {"a call": b"its result"}
    assert claims[RECORDED].outcome == b"an outcome"
    assert [event for event, claim in claims.items() if claim.done] == [DONE]
    assert [event for event, claim in claims.items() if claim.lease] == [UNFINISHED, RECORDED, CLAIMED, NEW]

    ledger = names.BudgetLedger(valkey, FACTORY, {}, 3600.0)
    assert await ledger.is_open()
    assert await ledger.spent() == {"all": names.Amount(100, 23), "sim-writer": names.Amount(100, 23)}
    reserved = await ledger.reserved()
    assert (reserved["all"], reserved["sim-solver"]) == (names.Amount(70, 5), names.Amount(70, 5))

    index = open_index(stack)
    assert await index.is_open()
    for number, kind in enumerate(("new", "new", "repeat")):  # the index returns its earlier decisions
        assert (await index.add(fingerprint(*PROBLEMS[number]), UUID(int=20 + number))).kind == kind
    match = await index.add(fingerprint(*PROBLEMS[1]), UUID(int=30))
    assert (match.kind, match.of) == ("repeat", UUID(int=21))
    await index.close()


def open_index(stack: names.Stack) -> names.ValkeyNearDuplicateIndex:
    access = names.ValkeyAccess(url(stack))
    return names.ValkeyNearDuplicateIndex(access, FACTORY, FEATURES, 3, FOREVER_DAYS, 3600.0)


def fingerprint(statement: str, answer: str) -> names.TextFingerprint:
    return names.fingerprint(names.Problem(statement=statement, answer=answer, answer_type="number", rationale=""))


async def no_problems() -> AsyncIterator[Sequence[tuple[names.TextFingerprint, UUID]]]:
    return
    yield []


async def read_keys(client: Redis) -> list[dict[str, Any]]:
    """Every key in the form of the recording."""
    keys = []
    for key in sorted([key async for key in client.scan_iter("*")]):
        kind = (await client.type(key)).decode()  # type: ignore[union-attr]
        read: dict[str, Any] = {
            "string": client.get,
            "hash": client.hgetall,
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1),
        }
        value = to_text(await read[kind](key))
        keys.append({"key": key.decode(), "type": kind, "expires": await client.pttl(key) > 0, "value": value})
    return keys


def to_text(value: Any) -> Any:
    """Printable bytes as text, others in hexadecimal, in a stable order."""
    if isinstance(value, dict):
        return {to_text(name): to_text(part) for name, part in sorted(value.items())}
    if isinstance(value, set | list):
        return sorted(to_text(part) for part in value)
    return value.decode() if value.isascii() and value.decode().isprintable() else value.hex()


def mask_ids(key: dict[str, Any]) -> dict[str, Any]:
    """A key without its random parts: ids of 16 bytes."""
    if ":twins:" in key["key"]:
        random = ("generation",) if key["type"] == "hash" else ()
        return {**key, "value": {n: v for n, v in key["value"].items() if n not in random} if random else key["value"]}
    masked: dict[str, Any] = json.loads(re.sub(r"[0-9a-f]{32}\b", "ID", json.dumps(key)))
    return {**masked, "value": sorted(masked["value"])} if isinstance(masked["value"], list) else masked
