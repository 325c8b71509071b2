"""Records what fixed steps leave in Valkey."""

import asyncio
import base64
import json
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from services.screening.sketch import FEATURES, sketch
from shared.access import ValkeyAccess
from shared.cache.budget import Amount, Treasury
from shared.cache.outcomes import Outcomes
from shared.cache.twins import ValkeyTwins

from deploy.local.supervisor import Stack
from schemas.item import Problem
from shared.cache.client import connect

OUT = Path(__file__).parents[1] / "recorded"
FACTORY = "chimera"
FOREVER_DAYS = 36500
UNFINISHED, RECORDED, DONE, CLAIMED = (UUID(int=number) for number in range(1, 5))
COST = ("sim-writer", "problem_writer/draft/sim-writer", Amount(30, 7))


async def valkey(directory: Path) -> str:
    """Fixed steps on an empty Valkey, then all of its keys as JSON."""
    async with Stack(directory) as stack:
        await stack.start_infrastructure()
        client = connect(ValkeyAccess(stack.valkey_url))
        outcomes = Outcomes(client, FACTORY, "verifier-a", FOREVER_DAYS, 3600.0)
        for one in (UNFINISHED, RECORDED, DONE, CLAIMED):
            known = await outcomes.claim(one)
            assert known.lease
            if one == CLAIMED:
                continue
            first = await outcomes.begin(one)
            if one == UNFINISHED:
                await outcomes.survived(one, first)
                await outcomes.begin(one)
                async with outcomes.at_work(one, known.lease, {}) as calls:
                    calls.keep("a call", b"its result")
                    await calls.save()
            if one in (RECORDED, DONE):
                await outcomes.record(one, b"an outcome")
            if one == DONE:
                await outcomes.done(one)
        treasury = Treasury(client, FACTORY, {}, 3600.0)
        assert await treasury.open([COST, COST])
        settled = await treasury.reserve("sim-writer", COST[1], Amount(50, 0))
        await treasury.settle(settled, Amount(40, 9), measured=True)
        await treasury.reserve("sim-solver", "synthesis/solve/sim-solver", Amount(70, 5))
        twins = ValkeyTwins(ValkeyAccess(stack.valkey_url), FACTORY, FEATURES, 3, FOREVER_DAYS, 3600.0)
        nothing = _none()
        assert await twins.rebuild(nothing) == 0
        for number, (statement, answer) in enumerate(STATEMENTS):
            problem = Problem(statement=statement, answer=answer, answer_type="number", rationale="")
            await twins.place(sketch(problem), UUID(int=20 + number))
        await twins.close()
        text = json.dumps(await dumped(client), indent=1)
        await client.aclose()
        return text + "\n"


STATEMENTS = (
    ("A train of 120 m passes a mast in 6 s. How fast is it, in metres per second?", "20"),
    ("A train of 150 m passes a mast in 5 s. How fast is it, in metres per second?", "30"),
    ("A train of 120 m passes a mast in 6 s. How fast is it, in metres per second?", "20"),
)


async def _none() -> Any:
    for nothing in ():
        yield nothing


async def dumped(client: Redis) -> list[dict[str, Any]]:
    """Every key: what kind, whether it expires, its content as far as it is text, and Valkey's own dump."""
    found = []
    for key in sorted([key async for key in client.scan_iter("*")]):
        kind = (await client.type(key)).decode()
        reads: dict[str, Any] = {
            "string": client.get,
            "hash": client.hgetall,
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1),
        }
        found.append(
            {
                "key": key.decode(),
                "type": kind,
                "expires": await client.pttl(key) > 0,
                "value": plain(await reads[kind](key)),
                "dump": base64.b64encode(await client.dump(key)).decode(),
            }
        )
    return found


def plain(value: Any) -> Any:
    """Bytes as hexadecimal, in an order of their own."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in sorted(value.items())}
    if isinstance(value, set | list):
        return sorted(plain(one) for one in value)
    return value.decode() if value.isascii() and value.decode().isprintable() else value.hex()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        (OUT / "valkey.json").write_text(asyncio.run(valkey(Path(folder) / "stack")))
