"""Near duplicates on a real Valkey: who is found, who gets through, who decides, and what the log brings back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from uuid import UUID, uuid4

import pytest

from schemas.events import ProblemDrafted, ProblemRejected, ProblemRequested, ProblemScreened
from schemas.item import Problem
from services.screening.fingerprint import fingerprint
from services.screening.handler import ScreenProblem
from services.screening.index_keeper import index_keeper
from shared.cache.client import connect
from shared.cache.near_duplicates import ValkeyNearDuplicateIndex
from shared.config.connections import ValkeyAccess
from shared.ports import Match, TextFingerprint
from shared.text.contamination import Benchmarks
from tests.support.duplicates import bank, planted, problem
from tests.support.kafka_world import KafkaWorld, until

ANY = 10_000
"""As many variants as there are."""


@asynccontextmanager
async def index(
    world: KafkaWorld, variants: int = 3, *, opened: bool = True
) -> AsyncIterator[ValkeyNearDuplicateIndex]:
    """The index as one process sees it."""
    twins = ValkeyNearDuplicateIndex(
        ValkeyAccess(world.valkey), world.factory, "test", variants, decided_days=1, lease_s=3
    )
    try:
        if opened and not await twins.is_open():
            assert await twins.rebuild(reported([])) == 0
        yield twins
    finally:
        await twins.close()


async def reported(
    *batches: Sequence[tuple[TextFingerprint, UUID]],
) -> AsyncIterator[Sequence[tuple[TextFingerprint, UUID]]]:
    for batch in batches:
        yield batch


async def placed(twins: ValkeyNearDuplicateIndex, problems: Sequence[Problem]) -> list[Match]:
    """One after the other, each with an id of its own."""
    return [await twins.add(fingerprint(one), uuid4()) for one in problems]


def lattice(n: int, k: str = "17") -> Problem:
    text = f"Let $L$ be a lattice of rank ${n}$ whose form is even and unimodular. Count its vectors of norm two."
    return problem(text, k)


async def test_at_least_95_percent_of_planted_duplicates_are_found(world: KafkaWorld) -> None:
    found: Counter[tuple[str, bool]] = Counter()
    async with index(world, ANY) as twins:
        known: dict[str, UUID] = {}
        for pair in planted(100):
            text = pair.one.statement
            if text not in known:
                known[text] = uuid4()
                await twins.add(fingerprint(pair.one), known[text])
            likeness = await twins.add(fingerprint(pair.other), uuid4())
            found[pair.how, likeness.kind in ("repeat", "near_repeat") and likeness.of == known[text]] += 1
    for how in {how for how, _ in found}:
        assert found[how, True] >= 0.95 * (found[how, True] + found[how, False]), how


async def test_numeric_variants_are_taken_for_duplicates_in_1_percent_at_most(world: KafkaWorld) -> None:
    """In the bank each problem has some hundred of its kind. Run with the concurrency of the service."""
    async with index(world, ANY) as twins:
        sketches = [fingerprint(one) for one in bank()[::6]]
        kinds: Counter[str] = Counter()
        for start in range(0, len(sketches), 128):
            batch = sketches[start : start + 128]
            kinds.update(one.kind for one in await asyncio.gather(*(twins.add(one, uuid4()) for one in batch)))
    assert set(kinds) == {"new", "near_repeat"}
    assert kinds["near_repeat"] <= 0.01 * len(sketches)


async def test_variants_pass_up_to_the_limit_whatever_their_key(world: KafkaWorld) -> None:
    async with index(world, 3) as twins:
        ranks = [lattice(n, str(100 + n % 2)) for n in (8, 16, 24, 32, 40, 48)]
        kinds = [one.kind for one in await placed(twins, ranks)]
        other = await placed(twins, [problem("How many colourings of a cube with 3 colours differ by a turn?", "57")])
    assert kinds == ["new"] * 4 + ["variant"] * 2
    assert other == [Match("new")]


async def test_the_same_text_is_a_repeat_and_another_key_makes_a_variant(
    world: KafkaWorld,
) -> None:
    one = lattice(8)
    in_other_order = (
        "Count its vectors of norm two. Let $M$ be a lattice of rank $8$ whose form is even and unimodular."
    )
    async with index(world) as twins:
        [first, repeat, near, variant] = await placed(
            twins, [one, one.with_(answer="18"), problem(in_other_order, "17"), problem(in_other_order, "240")]
        )
    assert (first.kind, repeat.kind, near.kind, variant.kind) == ("new", "repeat", "near_repeat", "new")
    assert near.score == 1.0


async def test_of_concurrent_duplicates_one_passes_and_results_are_stable(
    world: KafkaWorld,
) -> None:
    owners = [uuid4() for _ in range(64)]
    async with AsyncExitStack() as closing:
        replicas = [await closing.enter_async_context(index(world)) for _ in range(4)]

        async def place_all() -> list[Match]:
            requested = (replicas[at % 4].add(fingerprint(lattice(8)), owner) for at, owner in enumerate(owners))
            return await asyncio.gather(*requested)

        first = await place_all()
        assert Counter(one.kind for one in first) == {"new": 1, "repeat": 63}
        assert {one.of for one in first} == {None, owners[[one.kind for one in first].index("new")]}
        await placed(replicas[0], [lattice(16), lattice(24), lattice(32)])
        assert await place_all() == first


async def test_after_a_flush_screening_waits_for_an_index_rebuilt_from_the_log(world: KafkaWorld) -> None:
    """One problem is under way, one has ended elsewhere, one never passed."""
    under_way, ended, refused, twin_1, twin_2, fresh = world.requests(6)

    first = drafted(under_way, lattice(8))
    passed = ProblemScreened.of(first, "screening", first.item)
    before = drafted(
        ended, problem("Find the sum of the angles of a convex polygon with 17 corners, in degrees.", "2700")
    )
    again = ProblemScreened.of(before, "screening", before.item)
    out = ProblemRejected.of(again, "panel", again.item, reason="unsolved", detail="")
    never = drafted(
        refused, problem("Name the river that flows through the old town of Prague, in one word.", "Vltava")
    )
    no = ProblemRejected.of(never, "screening", never.item, reason="too_easy", detail="")
    await world.publish([passed, again, out, no])
    await world.put("problem.screened", b"key", b"no event")

    async with index(world, opened=False) as twins, index(world, opened=False) as other:
        screen = ScreenProblem(twins, Benchmarks({}))
        waiting = asyncio.create_task(screen(drafted(twin_1, lattice(8))))
        with pytest.raises(AssertionError, match="not within"):
            await until(lambda: is_done(waiting), "never without an index", 1.0)
        settings = world.settings("screening")
        async with index_keeper(settings, twins, with_text=False), index_keeper(settings, other, with_text=False):
            [rejected] = await waiting
            assert isinstance(rejected, ProblemRejected)
            assert (rejected.reason, str(under_way.id) in rejected.detail) == ("repeat", True)
            valkey = connect(ValkeyAccess(world.valkey))
            async with aclosing(valkey):
                await valkey.delete(*[key async for key in valkey.scan_iter(f"{world.factory}:*")])
            [rejected] = await screen(drafted(twin_2, before.item.written))
            assert isinstance(rejected, ProblemRejected)
            assert str(ended.id) in rejected.detail
            [screened] = await screen(drafted(fresh, never.item.written))
            assert isinstance(screened, ProblemScreened)
            [screened] = await screen(first)
            assert isinstance(screened, ProblemScreened), "it passed before, and passes when it comes again"


def drafted(request: ProblemRequested, text: Problem) -> ProblemDrafted:
    return ProblemDrafted.of(request, "problem_writer", request.item.with_(problem=text))


async def is_done(task: asyncio.Task[object]) -> bool:
    return task.done()


async def test_an_index_flushed_or_taken_over_during_rebuild_is_not_opened(world: KafkaWorld) -> None:
    async with index(world, opened=False) as slow, index(world, opened=False) as other:
        valkey = connect(ValkeyAccess(world.valkey))

        async def emptied() -> AsyncIterator[Sequence[tuple[TextFingerprint, UUID]]]:
            yield [(fingerprint(lattice(8)), uuid4())]
            assert await other.rebuild(reported([])) is None, "only one fills it"
            await valkey.delete(*[key async for key in valkey.scan_iter(f"{world.factory}:*")])
            yield [(fingerprint(lattice(16)), uuid4())]

        async with aclosing(valkey):
            assert await slow.rebuild(emptied()) is None
            assert not await slow.is_open()
            assert await other.rebuild(reported([(fingerprint(lattice(24)), uuid4())])) == 1
            assert (await placed(slow, [lattice(24)]))[0].kind == "repeat"
