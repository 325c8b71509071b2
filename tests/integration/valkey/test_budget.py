"""A budget holds with several spenders, after kills, and after Valkey lost its data. The endpoint counts calls."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.local.supervisor import Stack
from schemas.config.models_config import Endpoint, ModelsConfig, Price, RoleModel, Roles
from schemas.config.policies import ALL, Budget, Limit
from schemas.events import ProblemDrafted, ProblemRejected, ProblemScreened
from schemas.item import Provenance
from services.cli.__main__ import app
from services.planner.ledger_keeper import ledger_keeper
from shared.cache.budget_ledger import Amount, BudgetLedger, Contended, LimitReached, NotInitialised, Reservation
from shared.cache.client import connect
from shared.config.connections import ValkeyAccess
from shared.errors import Refusal, Transient
from shared.llm import Models, Prompt
from shared.llm.budget_guard import LimitedBudget
from shared.llm.plan_budget import check_budget
from tests.integration.throwaway.spender import IN_FLIGHT, spend
from tests.support.kafka_world import KafkaWorld, until

PROMPT = Prompt("ask", "$problem")
LEASE_S = 3.0
LONGEST = 600
"""Most tokens of one call, by the endpoint's dice."""


@dataclass
class Meter:
    """What the endpoint has charged."""

    tokens: int = 0
    calls: int = 0
    dice: Random = field(default_factory=lambda: Random(1))
    held: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def chat(self, request: web.Request) -> web.StreamResponse:
        prompt, answer = 50, self.dice.randint(20, LONGEST - 50)
        self.tokens, self.calls = self.tokens + prompt + answer, self.calls + 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        chunk = {"choices": [{"delta": {"content": "x" * 400}, "finish_reason": None}]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await self.held.wait()
        if self.broken:
            raise ConnectionResetError
        usage = {"prompt_tokens": prompt, "completion_tokens": answer}
        end = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage}
        await response.write(f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n".encode())
        return response


@asynccontextmanager
async def endpoint(meter: Meter, *, held: bool = False) -> AsyncIterator[ModelsConfig]:
    if not held:
        meter.held.set()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", meter.chat)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield ModelsConfig.one(Endpoint(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/v1"), "m")
    finally:
        await runner.cleanup()


def ledger(world: KafkaWorld, limit: Limit) -> BudgetLedger:
    return BudgetLedger(connect(ValkeyAccess(world.valkey)), world.factory, {ALL: limit}, LEASE_S)


@asynccontextmanager
async def kept(world: KafkaWorld, limit: Limit, *, opened: bool = True) -> AsyncIterator[BudgetLedger]:
    async with aclosing(ledger(world, limit)) as books:
        if opened:
            await books.open([])
        yield books


@asynccontextmanager
async def payers(world: KafkaWorld, cast: ModelsConfig, limit: Limit, number: int) -> AsyncIterator[list[Models]]:
    """As many processes, as far as Valkey can see: each has its own connections and its own guard."""
    async with AsyncExitStack() as closing:
        made = [Models(cast, "problem_writer", LimitedBudget(ledger(world, limit), LEASE_S)) for _ in range(number)]
        for models in made:
            closing.push_async_callback(models.aclose)
        yield made


async def spent_by_a_process(world: KafkaWorld, limit: int, cast: ModelsConfig) -> int:
    """Call from a process of its own until the budget refuses. Returns the calls answered."""
    url = cast.endpoints["default"].base_url
    arguments = (world.valkey, world.factory, str(limit), str(LEASE_S), url)
    spender = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.throwaway.spender", *arguments, stdout=asyncio.subprocess.PIPE
    )
    answered, _ = await spender.communicate()
    return int(answered)


async def test_racing_processes_exceed_the_budget_by_calls_in_flight_at_most(world: KafkaWorld) -> None:
    limit, meter = 100_000, Meter()
    async with kept(world, Limit(tokens=limit)) as books:
        async with endpoint(meter) as cast:
            answered = await asyncio.gather(*(spent_by_a_process(world, limit, cast) for _ in range(8)))
        assert sum(answered) == meter.calls
        assert sum(number > 0 for number in answered) > 1, "nobody raced"
        assert (await books.spent())[ALL] == Amount(meter.tokens, None)
        assert (await books.reserved())[ALL].tokens == 0
    assert limit - 2 * LONGEST < meter.tokens < limit + 8 * IN_FLIGHT * LONGEST


async def test_only_the_reservation_of_a_killed_process_expires(world: KafkaWorld) -> None:
    limit = 10_000
    async with kept(world, Limit(tokens=limit)) as books:
        arguments = (world.valkey, world.factory, str(limit), str(LEASE_S))
        payer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.throwaway.payer", *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert payer.stdout
        assert await payer.stdout.readline() == b"reserved\n"

        async def free() -> bool:
            try:
                await books.release(await books.reserve("m", "another", Amount(1_000, 0)))
            except Contended:
                return False
            return True

        with pytest.raises(AssertionError, match="not within"):
            await until(free, "never while it lives", 1.5 * LEASE_S)
        payer.kill()
        await payer.wait()
        await until(free, "the dead process's reservation to run out")


async def test_after_a_flush_paid_work_waits_for_spend_rebuilt_from_the_log(world: KafkaWorld) -> None:
    """One call appears three times: in its event, in a later one, and in an ending."""
    request, other = world.requests(2)
    drafted = ProblemDrafted.of(request, "problem_writer", request.item, (call(3_000), call(1_000)))
    screened = ProblemScreened.of(drafted, "screening", drafted.item)
    rejected = ProblemRejected.of(screened, "panel", screened.item, (call(500),), reason="unsolved", detail="")
    elsewhere = ProblemDrafted.of(other, "problem_writer", other.item, (call(200), call(None)))
    await world.publish([drafted, screened, rejected, elsewhere])
    await world.put("problem.drafted", b"key", b"no event")
    limit, meter = Limit(tokens=6_000), Meter()
    async with (
        kept(world, limit, opened=False) as books,
        endpoint(meter, held=True) as cast,
        payers(world, cast, limit, 1) as (models,),
    ):
        model = models.model("writer", PROMPT)
        waiting = asyncio.create_task(model.complete({"problem": "What?"}, seed=1))
        with pytest.raises(NotInitialised):
            await books.reserve("m", "any", Amount(1, 0))
        assert meter.calls == 0
        async with ledger_keeper(world.settings("planner"), Budget(tokens=6_000)):
            await until(lambda: called(meter, 1), "the call, once spend is known")
            assert (await books.spent())[ALL] == Amount(4_700, None)
            await books.close()  # emptied in the middle of a call
            await until(books.is_open, "spend rebuilt again")
            meter.held.set()
            await waiting
        assert (await books.spent())[ALL].tokens == 4_700 + meter.tokens
        assert await spend(model) >= 1
        assert 6_000 - LONGEST - 50 < 4_700 + meter.tokens < 6_000 + IN_FLIGHT * LONGEST


async def called(meter: Meter, number: int) -> bool:
    return meter.calls == number


def call(count: int | None) -> Provenance:
    return Provenance(
        role="problem_writer",
        endpoint="default",
        model="m",
        prompt="draft",
        prompt_hash="",
        prompt_tokens=0,
        completion_tokens=count,
        started="",
        latency_s=1,
    )


async def test_a_broken_call_is_charged_for_received_tokens_only(
    world: KafkaWorld,
) -> None:
    limit, meter = Limit(tokens=50_000), Meter(broken=True)
    async with kept(world, limit) as books:
        async with endpoint(meter) as cast, payers(world, cast, limit, 1) as (models,):
            with pytest.raises(Transient):
                await models.model("writer", PROMPT).complete({"problem": "What?"}, seed=1)
            arrived = (await books.spent())[ALL].tokens
            assert 100 <= arrived < 150
        gone = cast.model_copy(update={"endpoints": {"default": Endpoint(base_url="http://127.0.0.1:1/v1")}})
        async with payers(world, gone, limit, 1) as (models,):
            busy = asyncio.create_task(models.model("writer", PROMPT).complete({"problem": "What?"}, seed=1))
            done, _ = await asyncio.wait([busy], timeout=0.5)
            assert not done
            busy.cancel()
            await asyncio.wait([busy])
        assert (await books.spent())[ALL].tokens == arrived
        assert (await books.reserved())[ALL].tokens == 0


async def test_without_a_budget_valkey_is_never_requested() -> None:
    async with endpoint(Meter()) as cast:
        models = Models(cast, "problem_writer")
        assert (await models.model("writer", PROMPT).complete({"problem": "What?"}, seed=1)).finished
        await models.aclose()


Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "settle", "give back", "again"]), st.integers(0, 9), st.integers(1, 400)
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, tokens=st.integers(300, 3_000), cents=st.integers(1, 50))
async def test_the_books_say_what_a_sheet_of_paper_says(
    stack: Stack, steps: list[Step], tokens: int, cents: int
) -> None:
    """Against plain sums: no limit is passed by reserving, a repeated command counts once, nothing stays reserved."""
    limits = {ALL: Limit(tokens=tokens), "a": Limit(dollars=cents / 100)}
    valkey = connect(ValkeyAccess(stack.valkey_url))
    async with aclosing(BudgetLedger(valkey, f"t{uuid4().hex}", limits, 60.0)) as books:
        await books.open([])
        held: list[Reservation] = []
        ended: list[tuple[Reservation, Amount]] = []
        for what, which, size in steps:
            if what == "reserve":
                model = "ab"[which % 2]
                before = await books.spent(), await books.reserved()
                try:
                    held.append(await books.reserve(model, "kind", Amount(size, size * 10**6)))
                except (Contended, LimitReached):
                    assert (await books.spent(), await books.reserved()) == before
            elif what == "again" and ended:
                one, cost = ended[which % len(ended)]
                await books.commit(one, cost, measured=False)
            elif held and what in ("settle", "give back"):
                one = held.pop(which % len(held))
                if what == "give back":
                    await books.release(one)
                else:
                    cost = Amount(min(size, one.amount.tokens), min(size * 10**6, one.amount.nano or 0))
                    await books.commit(one, cost, measured=True)
                    ended.append((one, cost))
            spent, reserved = await books.spent(), await books.reserved()
            for model in (ALL, "a", "b"):
                assert spent.get(model, Amount(0, 0)) == total(cost for one, cost in ended if model in (ALL, one.model))
                assert reserved.get(model, Amount(0, 0)) == total(
                    one.amount for one in held if model in (ALL, one.model)
                )
            nothing = Amount(0, 0)
            assert spent.get(ALL, nothing).tokens + reserved.get(ALL, nothing).tokens <= tokens
            assert (spent.get("a", nothing).nano or 0) + (reserved.get("a", nothing).nano or 0) <= cents * 10**7
        await books.close()


def total(amounts: object) -> Amount:
    listed = list(amounts)  # type: ignore[call-overload]
    return Amount(sum(one.tokens for one in listed), sum(one.nano or 0 for one in listed))


PRICE = Price(input=1, output=2)


@pytest.mark.parametrize(
    ("budget", "reported"),
    [
        (Budget(dollars=1), "the price of free (verifier_a) is unknown"),
        (Budget(models={"free": Limit(dollars=1)}), "the price of free (verifier_a) is unknown"),
        (Budget(models={"big": Limit(tokens=1)}), "a budget for big, which has no role; there are free, paid"),
        (Budget(tokens=1, models={"paid": Limit(dollars=1)}), None),
    ],
)
def test_a_budget_that_does_not_fit_the_models_is_refused(budget: Budget, reported: str | None) -> None:
    paid, free = RoleModel(model="paid", price=PRICE), RoleModel(model="free")
    roles = Roles(writer=paid, verifier_a=free, verifier_b=free, solver=paid)
    cast = ModelsConfig(endpoints={"default": Endpoint(base_url="http://127.0.0.1:1/v1")}, roles=roles)
    if reported is None:
        check_budget(budget, cast)
    else:
        with pytest.raises(Refusal) as refusal:
            check_budget(budget, cast)
        assert reported in str(refusal.value)


async def test_check_budget_shows_what_is_spent_and_the_limits(stack: Stack, tmp_path: Path) -> None:
    factory = f"t{uuid4().hex[:8]}"
    arguments = ["check", "budget", "--valkey", stack.valkey_url, "--factory", factory, "--dir", str(tmp_path)]
    empty = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert (empty.exit_code, "has no sums of the factory" in empty.output) == (1, True)
    ledger = BudgetLedger(connect(ValkeyAccess(stack.valkey_url)), factory, {}, LEASE_S)
    await ledger.open([("large", "draft", Amount.of(1_200, 0.5)), ("local", "blind", Amount.of(300, None))])
    await ledger.aclose()
    (tmp_path / "plan.yaml").write_text("name: p\nrows: 3\nsubjects: {physics: {}}\nbudget: {tokens: 2000}\n")
    shown = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"])
    assert json.loads(shown.output) == {
        "all": {"tokens": 1_500, "tokens_limit": 2_000, "dollars": None, "dollars_limit": None},
        "large": {"tokens": 1_200, "tokens_limit": None, "dollars": 0.5, "dollars_limit": None},
        "local": {"tokens": 300, "tokens_limit": None, "dollars": None, "dollars_limit": None},
    }
