"""Measures recall, false positives and cost of screening, on generated and hand-written problems.

The bank is hard: each problem has about a hundred variants with other numbers. Costs are CPU time of this process;
Valkey's cost is the CPU time of its server.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from deploy.local.supervisor import Stack
from schemas.item import Problem
from services.screening.fingerprint import fingerprint
from services.screening.form import find_flaw
from shared.cache.client import connect
from shared.cache.near_duplicates import ValkeyNearDuplicateIndex
from shared.config.connections import ValkeyAccess
from shared.ports import Match, TextFingerprint
from shared.text.contamination import Benchmarks
from shared.text.overlap import Overlaps
from tests.support.duplicates import EDITED, SHORT, bank, edited_in, planted

IN_FLIGHT = 128
ANY = 10_000
ITEMS = 300


async def measure() -> dict[str, Any]:
    """Measure duplicates and throughput on a Valkey started here, contamination in memory."""
    problems = bank()
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder)) as stack:
            await stack.start_infrastructure()
            found = await _found(await _index(stack.valkey_url, "planted", ANY))
            every = await _bank(stack.valkey_url, "every", ANY, problems)
            few = await _bank(stack.valkey_url, "few", 3, problems)
    return {
        "twins_found": found,
        "bank": {"unlimited variants": every, "3 variants": few},
        "flaws_in_bank": sum(find_flaw(one) is not None for one in problems),
        "contamination": _contamination(problems),
        "cpu_ms": _costs(problems),
    }


async def _index(valkey: str, factory: str, variants: int) -> ValkeyNearDuplicateIndex:
    twins = ValkeyNearDuplicateIndex(ValkeyAccess(valkey), factory, "bench", variants, decided_days=1, lease_s=30)
    await twins.rebuild(_nothing())
    return twins


async def _nothing() -> AsyncIterator[Sequence[tuple[TextFingerprint, UUID]]]:
    if False:
        yield []


async def _found(twins: ValkeyNearDuplicateIndex) -> dict[str, Any]:
    """Return the fraction of planted duplicates that are found, by kind."""
    first: dict[str, Match] = {}
    counts: Counter[tuple[str, bool]] = Counter()
    for pair in planted(400):
        if pair.one.statement not in first:
            first[pair.one.statement] = await twins.add(fingerprint(pair.one), uuid4())
        likeness = await twins.add(fingerprint(pair.other), uuid4())
        counts[pair.how, likeness.kind in ("repeat", "near_repeat")] += 1
    await twins.close()
    total = {how: counts[how, True] + counts[how, False] for how, _ in counts}
    return {how: {"pairs": n, "found": counts[how, True] / n} for how, n in total.items()}


async def _bank(valkey: str, factory: str, variants: int, problems: Sequence[Problem]) -> dict[str, Any]:
    """Add every problem of the bank once, with the concurrency of one process."""
    client, twins = connect(ValkeyAccess(valkey)), await _index(valkey, factory, variants)
    sketches, memory = [fingerprint(one) for one in problems], await _memory(client)
    started, used = time.perf_counter(), await _server_s(client)
    kinds: Counter[str] = Counter()
    for start in range(0, len(sketches), IN_FLIGHT):
        batch = sketches[start : start + IN_FLIGHT]
        kinds.update(one.kind for one in await asyncio.gather(*(twins.add(one, uuid4()) for one in batch)))
    seconds, server = time.perf_counter() - started, await _server_s(client) - used
    decisions = [key async for key in client.scan_iter(f"{factory}:*:decided:*", count=10_000)]
    with_decisions = await _memory(client)
    await client.delete(*decisions)
    kept = await _memory(client) - memory
    await twins.close()
    await client.aclose()
    return {
        **{kind: kinds[kind] for kind in ("new", "near_repeat", "repeat", "variant")},
        "placed_per_s": len(sketches) / seconds,
        "valkey_ms": server / len(sketches) * 1000,
        "bytes_kept": kept / kinds["new"],
        "bytes_decision": (with_decisions - memory - kept) / len(decisions),
    }


async def _memory(client: Redis) -> int:
    return int((await client.info("memory"))["used_memory_dataset"])


async def _server_s(client: Redis) -> float:
    found = await client.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


def _contamination(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the fraction of edited items that are found, and of unrelated problems that are falsely matched."""
    rng = Random(5)
    items = [one.statement for one in rng.sample(problems, ITEMS)]
    known = Benchmarks({"test": Overlaps([*SHORT, *items])})
    found = {how: _share(known, (edit(rng, item) for item in items)) for how, edit in EDITED.items()}
    found["short, a word exchanged"] = _share(known, (edited_in(rng, item) for item in SHORT for _ in range(10)))
    half = len(problems) // 2
    others = Benchmarks({"test": Overlaps([*SHORT, *(one.statement for one in problems[:half])])})
    return {"found": found, "wrong": _share(others, (one.statement for one in problems[half + 600 :]))}


def _share(known: Benchmarks, texts: Iterable[str]) -> float:
    found = [known.find_match(text) is not None for text in texts]
    return sum(found) / len(found)


def _costs(problems: Sequence[Problem]) -> dict[str, float]:
    """Return CPU milliseconds per problem, by step."""
    known = Benchmarks({"test": Overlaps([one.statement for one in problems[::4]])})
    steps: dict[str, Callable[[Problem], object]] = {
        "form": find_flaw,
        "sketch": fingerprint,
        f"contamination, {len(problems[::4])} items": lambda one: known.find_match(one.statement),
    }
    return {name: _cpu_ms(step, problems[1::4]) for name, step in steps.items()}


def _cpu_ms(step: Callable[[Problem], object], problems: Sequence[Problem]) -> float:
    started = time.process_time()
    for one in problems:
        step(one)
    return (time.process_time() - started) / len(problems) * 1000


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print tables."""
    table = Table("planted twins", "pairs", "found", title="screening")
    for how, row in figures["twins_found"].items():
        table.add_row(how, str(row["pairs"]), f"{row['found']:.1%}")
    console.print(table)
    bank = figures["bank"]
    table = Table("the bank with", *bank)
    for name in next(iter(bank.values())):
        table.add_row(
            name, *(f"{row[name]:.2f}" if name == "valkey_ms" else f"{row[name]:.0f}" for row in bank.values())
        )
    console.print(table)
    contamination = figures["contamination"]
    found = ", ".join(f"{how} {share:.1%}" for how, share in contamination["found"].items())
    console.print(f"edited benchmark items found: {found}; problems wrongly known: {contamination['wrong']:.2%}")
    console.print(f"problems of the bank with a flaw of form: {figures['flaws_in_bank']}")
    costs = " · ".join(f"{name} {spent:.2f}" for name, spent in figures["cpu_ms"].items())
    console.print(f"CPU-ms a problem: {costs}")
