"""How many concurrent calls an endpoint gets, and what happens when it takes none: over HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
from prometheus_client import REGISTRY

from schemas.config.models_config import Endpoint, ModelsConfig
from shared.errors import Transient
from shared.interruption import Interruptible
from shared.llm import Models, Prompt
from shared.llm.client import ChatModel
from shared.llm.limiter.aimd import AimdLimit, Load
from shared.llm.limiter.circuit_breaker import FIRST_PROBE_S, CircuitBreaker
from shared.llm.limiter.limiter import ConcurrencyLimiter
from shared.llm.limiter.vllm_load import parse
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.kafka_world import until

PROMPT = Prompt("ask", "You are terse.\n---\nProblem: $problem\n")
FIELDS = {"problem": "What is 2+2?"}


@asynccontextmanager
async def model(url: str, at_once: int = 64, **place: float) -> AsyncIterator[tuple[ChatModel, ConcurrencyLimiter]]:
    """A model and the limiter before it."""
    models = Models(ModelsConfig.one(Endpoint(base_url=f"{url}/v1", at_once=at_once, **place), "m"), "tester")
    made = models.model("writer", PROMPT)
    try:
        yield made, made.channel.limiter
    finally:
        await models.aclose()


async def ask(model: ChatModel, calls: int, first: int = 0) -> None:
    """Concurrently, each with a seed of its own; all are answered."""
    replies = await asyncio.gather(*(model.complete(FIELDS, seed=first + i) for i in range(calls)))
    assert {reply.text for reply in replies} == {"The answer is 42."}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes and readings come at short intervals."""
    monkeypatch.setattr("shared.llm.limiter.circuit_breaker.FIRST_PROBE_S", 0.1)
    monkeypatch.setattr("shared.llm.limiter.circuit_breaker.MIN_REFUSALS_S", 0.1)
    monkeypatch.setattr("shared.llm.limiter.vllm_load.INTERVAL_S", 0.1)
    monkeypatch.setattr("shared.llm.limiter.vllm_load.MIN_INTERVAL_S", 0.02)


VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="sft"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="sft"} 3.0
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{engine="0",model_name="sft",reason="capacity"} 3.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="sft",reason="deferred"} 0.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="sft"} 0.25
"""
"""As vLLM 0.26 tells it, but for the values."""


async def test_the_limit_settles_at_what_the_server_takes() -> None:
    server = FakeEndpoint(at_once=16, latency_s=0.03)
    async with server.listen() as url, model(url) as (ask_it, limiter):
        await ask(ask_it, 600)
        assert 12 <= limiter.aimd.limit <= 24
    assert server.refused < 300


async def test_refusals_by_chance_do_not_collapse_the_limit() -> None:
    server = FakeEndpoint(broken=0.1, latency_s=0.03)
    async with server.listen() as url, model(url) as (ask_it, limiter):
        await ask(ask_it, 800)
        assert limiter.aimd.limit >= 48
    assert server.refused > 40


async def test_a_reported_queue_is_kept_short(soon: None) -> None:
    server = FakeEndpoint(at_once=4, busy="queue", latency_s=0.03)
    async with server.listen() as url, model(url) as (ask_it, limiter):
        await ask(ask_it, 100)
        server.longest = 0
        await ask(ask_it, 200, first=100)
        assert limiter.aimd.limit <= 16
    assert server.longest <= 12
    assert server.asked > 5


async def test_where_no_load_is_reported_it_is_not_polled_again(soon: None) -> None:
    server = FakeEndpoint(latency_s=0.03)
    async with server.listen() as url, model(url, at_once=4) as (ask_it, _):
        await ask(ask_it, 60)
    assert server.asked == 1


async def test_retry_after_is_obeyed_and_the_place_is_lent_meanwhile() -> None:
    server = FakeEndpoint(fault=429, retry_after_s=0.5)
    async with server.listen() as url, model(url, at_once=1) as (ask_it, _):
        first = asyncio.create_task(ask_it.complete(FIELDS, seed=1))
        await until(lambda: _true(server.refused), "a refusal", every_s=0.01)
        server.fault = None
        await ask(ask_it, 3, first=2)
        await first
    assert server.seeds == [1, 2, 3, 4, 1]
    assert server.arrivals[-1] - server.arrivals[0] >= 0.5


@pytest.mark.parametrize("fault", [503, 401, 404])
async def test_while_all_is_refused_one_probe_is_sent_and_no_call_is_lost(
    fault: int, soon: None, caplog: pytest.LogCaptureFixture
) -> None:
    server = FakeEndpoint(latency_s=0.01)
    async with server.listen() as url, model(url, at_once=48) as (ask_it, limiter):
        while limiter.aimd.limit < 48:
            await ask(ask_it, 100, first=len(server.seeds))
        server.fault, limit = fault, limiter.aimd.limit
        many = asyncio.create_task(ask(ask_it, 100, first=len(server.seeds)))
        await until(lambda: _true(limiter.is_open), "an open circuit", every_s=0.01)
        await until(lambda: _true(not limiter.in_flight), "no call under way", every_s=0.01)
        server.most, probes = 0, len(server.seeds)
        await until(lambda: _true(len(server.seeds) >= probes + 2), "two probes", every_s=0.01)
        assert server.most == 1
        server.fault = None
        await many
        assert limiter.aimd.limit == limit
    output = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line.split(":")[0].split(",")[0] for line in output] == [
        "m at endpoint default takes no calls",
        "m at endpoint default takes calls again",
    ]
    assert str(fault) in output[0]


def test_calls_in_flight_when_the_circuit_opens_do_not_delay_its_probe() -> None:
    breaker = CircuitBreaker("default", "m")
    breaker.record_failure("first", 0.0, Transient("no"))
    for call in range(40):
        breaker.record_start(call)
    for call in range(40):
        breaker.record_failure(call, 0.0, Transient("no"))
    assert breaker.open
    assert breaker.probe_at <= FIRST_PROBE_S
    breaker.record_failure("probe", breaker.probe_at, Transient("no"), probe=True)
    assert FIRST_PROBE_S < breaker.probe_at <= 3 * FIRST_PROBE_S


async def test_calls_wait_for_an_endpoint_that_is_not_there_yet(soon: None) -> None:
    async with FakeEndpoint().listen() as url:
        port = int(url.rpartition(":")[2])
    async with model(url) as (ask_it, limiter):
        many = asyncio.create_task(ask(ask_it, 30))
        await until(lambda: _true(limiter.is_open), "an open circuit", every_s=0.01)
        async with FakeEndpoint().listen(port):
            await many


@pytest.mark.parametrize("fault", [500, "cut"])
async def test_where_all_breaks_few_attempts_are_burnt(fault: int | str, soon: None) -> None:
    server = FakeEndpoint(fault=fault)
    async with server.listen() as url, model(url, at_once=8) as (ask_it, limiter):
        many = [asyncio.create_task(ask_it.complete(FIELDS, seed=i)) for i in range(60)]
        await until(lambda: _true(limiter.is_open), "an open circuit", every_s=0.01)
        server.fault = None
        results = await asyncio.gather(*many, return_exceptions=True)
    burnt = [result for result in results if isinstance(result, BaseException)]
    assert {type(error) for error in burnt} == {Transient}
    assert len(burnt) <= 30


async def test_a_model_that_fails_does_not_stop_others_at_its_endpoint(soon: None) -> None:
    server = FakeEndpoint(latency_s=0.01, broken_models=frozenset({"bad"}))
    async with server.listen() as url, model(url, at_once=4) as (good, limiter):
        bad = replace(good, role_model=good.role_model.model_copy(update={"model": "bad"}))
        waiting = [asyncio.create_task(bad.complete(FIELDS, seed=i)) for i in range(20)]
        await until(lambda: _true(limiter.is_open), "an open circuit", every_s=0.01)
        await asyncio.wait_for(ask(good, 40, first=100), 10)
        assert limiter.circuit("bad").breaker.open
        assert not all(call.done() for call in waiting)
        server.broken_models = frozenset()
        await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)


async def test_a_server_full_of_long_calls_is_no_broken_one(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeEndpoint(at_once=2, latency_s=0.5)
    async with server.listen() as url, model(url, at_once=16) as (ask_it, _):
        await ask(ask_it, 8)
    assert server.refused > 10
    assert not [record for record in caplog.records if "takes no calls" in record.message]


async def test_calls_go_out_in_the_order_in_which_they_came() -> None:
    server = FakeEndpoint(latency_s=0.001)
    async with server.listen() as url, model(url, at_once=1) as (ask_it, _):
        await ask(ask_it, 20)
    assert server.seeds == list(range(20))
    assert server.most == 1


async def test_a_cancelled_call_frees_its_place_wherever_it_is(soon: None) -> None:
    server = FakeEndpoint(fault="silence")
    async with server.listen() as url, model(url, at_once=1) as (ask_it, limiter):
        for fault in ("silence", 429, 503):
            server.fault, server.retry_after_s = fault, 30 if fault == 503 else None
            calls = [asyncio.create_task(ask_it.complete(FIELDS, seed=i)) for i in range(3)]
            seen = len(server.seeds)
            await until(partial(_more_calls, server, seen), "a call", every_s=0.01)
            for call in calls:
                call.cancel()
            assert {type(e) for e in await asyncio.gather(*calls, return_exceptions=True)} == {asyncio.CancelledError}
            assert limiter.in_flight == 0
        server.fault = None
        await ask(ask_it, 3)


def _played(window: AimdLimit, calls: int, call_s: float, broken: int, wasted_s: float) -> None:
    """An epoch of calls, side by side, of which some were broken."""
    now = window._now
    for i in range(calls):
        window.advance(now + call_s * (i + 1) / calls, calls, 0)
        window.record(calls, wasted_s if i < broken else 0.0)


@pytest.mark.parametrize("slots", [1, 2])
async def test_once_stopped_no_call_is_sent_and_no_slot_is_lost(slots: int) -> None:
    limiter, sent = ConcurrencyLimiter("endpoint", slots), list[str]()

    async def stopped() -> None:
        handling = Interruptible(asyncio.current_task())
        handling.stop()
        with handling.entered():
            async with limiter.permit("m"):
                sent.append("a request goes out before the task suspends")

    async with limiter.permit("m"):  # with one slot the other call has to wait
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(stopped())
    assert not sent
    async with limiter.permit("m"):
        assert limiter.in_flight == 1


def test_many_time_outs_cut_the_limit_and_one_long_one_does_not() -> None:
    window = AimdLimit(64)
    for _ in range(4):
        _played(window, window.limit, 1.0, 0, 0.0)
    assert window.limit == 64
    _played(window, 64, 1.0, 1, 600.0)
    assert window.limit == 64
    for _ in range(2):
        _played(window, 64, 1.0, 64, 600.0)
    assert window.limit < 40


def test_load_is_read_for_our_models_and_a_full_cache_stops_growth() -> None:
    text = "\n".join(
        f'vllm:{name}{{model_name="{model}",engine="{engine}"}} {value}'
        for model, value in (("ours", 3.0), ("theirs", 50.0))
        for engine in (0, 1)
        for name in ("num_requests_running", "num_requests_waiting")
    )
    assert parse(text, {"ours"}) == Load(6, 6, 0)
    assert parse(text, {"an-alias"}) == Load(106, 106, 0)
    assert parse(VLLM, {"sft"}) == Load(2, 3, 0.25)
    assert parse("# HELP up\nup 1\n", {"ours"}) is None
    window = AimdLimit(64)
    window.observe_load(Load(16, 0, 0.97), 16)
    _played(window, 16, 1.0, 0, 0.0)
    assert window.limit == 16
    window.observe_load(Load(16, 0, 0.5), 16)
    assert window.limit == 32


async def test_calls_are_measured_under_the_names_of_opentelemetry() -> None:
    async with FakeEndpoint(latency_s=0.01).listen() as url, model(url) as (ask_it, _):
        before = _tokens("input")
        await ask(ask_it, 5)
        assert _tokens("input") - before == 5 * 60
    labels = {"endpoint": "default", "model": "m"}
    assert (REGISTRY.get_sample_value("chimera_model_calls_total", {**labels, "outcome": "answered"}) or 0) >= 5
    assert REGISTRY.get_sample_value("chimera_model_limit", {"endpoint": "default"}) == 16


def _tokens(kind: str) -> float:
    labels = {
        "gen_ai_operation_name": "chat",
        "gen_ai_provider_name": "default",
        "gen_ai_request_model": "m",
        "gen_ai_response_model": "m",
        "gen_ai_token_type": kind,
        "chimera_role": "tester",
    }
    return REGISTRY.get_sample_value("gen_ai_client_token_usage_sum", labels) or 0.0


async def _more_calls(server: FakeEndpoint, seen: int) -> bool:
    return len(server.seeds) > seen


async def _true(value: object) -> bool:
    return bool(value)
