"""The simulator slow, busy and broken, as a client sees it over HTTP, and what its logs and metrics say about it."""

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import pytest_asyncio
from httpx_aiohttp import AiohttpTransport
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, ValidationError

from schemas.item import Judgement
from services.expansion.handler import Topics
from services.simulator.api.completion import Completion
from services.simulator.api.request import ChatRequest
from services.simulator.api.server import serve
from services.simulator.bank import Bank
from services.simulator.engine import Engine
from services.simulator.faults import Faults
from services.simulator.latency import Latency
from services.simulator.roles.reply import Reply
from services.simulator.settings import Settings
from shared.llm.response_models import Draft
from tests.support.kafka_world import until

PROBLEM = Bank(0).problems("physics")[0]
MODEL = "sim-solver"
SILENT = ("hang", "stall", "trickle")
QUIET = httpx.Timeout(10, read=0.5)
"""Gives up on a silent server soon."""


class Grade(BaseModel):
    """The form of a grader."""

    agrees: str
    reason: str


@dataclass(frozen=True)
class Server:
    """The simulator, a client of it, and what it wrote down."""

    http: httpx.AsyncClient
    folder: Path

    async def misbehave(self, faults: dict[str, Any], model: str = "*") -> None:
        (await self.http.put("/sim/faults", json={model: faults})).raise_for_status()

    async def ask(self, request_id: str = "", **more: Any) -> httpx.Response:
        body = {"model": MODEL, "messages": [{"role": "user", "content": PROBLEM.text}], **more}
        headers = {"X-Request-Id": request_id} if request_id else {}
        return await self.http.post("/v1/chat/completions", json=body, headers=headers)

    async def figures(self) -> dict[str, float]:
        text = (await self.http.get("/metrics")).raise_for_status().text
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        return {s.name: s.value for s in samples if s.labels == {"model_name": MODEL}}

    async def busy(self, running: int, waiting: int = 0) -> None:
        async def so() -> bool:
            now = await self.figures()
            return (now["vllm:num_requests_running"], now["vllm:num_requests_waiting"]) == (running, waiting)

        await until(so, f"{running} running, {waiting} waiting", every_s=0.01)

    def log(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    settings = Settings(port=0, call_log=tmp_path / "answers", request_log=tmp_path / "requests")
    async with (
        serve(settings) as url,
        httpx.AsyncClient(base_url=url.removesuffix("/v1"), transport=AiohttpTransport(), timeout=10) as http,
    ):
        yield Server(http, tmp_path)


@dataclass(frozen=True)
class Seen:
    """What arrived of one answer: status, body, the chunks or the whole completion in it, and how it broke off."""

    status: int | None = None
    body: bytes = b""
    broke: type[Exception] | None = None

    @property
    def parts(self) -> list[dict[str, Any]]:
        lines = [line.removeprefix(b"data: ") for line in self.body.split(b"\n") if line]
        return [json.loads(line) for line in lines if line != b"[DONE]"]

    @property
    def done(self) -> bool:
        return self.broke is None and (self.body.endswith(b"data: [DONE]\n\n") or self.body.endswith(b"}"))

    @property
    def finish(self) -> str | None:
        return next((c["finish_reason"] for p in self.parts for c in p["choices"] if c["finish_reason"]), None)

    @property
    def usage(self) -> dict[str, Any] | None:
        return next((p["usage"] for p in self.parts if p.get("usage")), None)

    def output(self, field: str) -> str:
        choices = [choice for part in self.parts for choice in part["choices"]]
        return "".join((c.get("delta") or c.get("message") or {}).get(field) or "" for c in choices)


async def look(http: httpx.AsyncClient, stream: bool, patience: httpx.Timeout) -> Seen:
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    request = {"model": MODEL, "messages": [{"role": "user", "content": PROBLEM.text}], **more}
    status, body = None, b""
    try:
        async with http.stream("POST", "/v1/chat/completions", json=request, timeout=patience) as response:
            status = response.status_code
            async for piece in response.aiter_raw():
                body += piece
    except (httpx.HTTPError, aiohttp.ClientError) as error:
        return Seen(status, body, type(error))
    return Seen(status, body)


def fails(status: int) -> Callable[[Seen], bool]:
    return lambda seen: seen.status == status and set(seen.parts[0]["error"]) == {"message", "type", "param", "code"}


def late(seen: Seen) -> bool:
    return seen.broke is httpx.ReadTimeout


def half(seen: Seen) -> bool:
    return seen.status == 200 and bool(seen.body) and b"[DONE]" not in seen.body and b'"usage"' not in seen.body


SIGNS: dict[str, tuple[Callable[[Seen], bool], bool, bool]] = {
    "429": (fails(429), False, False),
    "500": (fails(500), False, False),
    "503": (fails(503), False, False),
    "reset": (lambda s: s.status is None and s.broke is not None and not late(s), False, False),
    "hang": (lambda s: s.status is None and late(s), True, False),
    "garbage": (lambda s: s.status == 200 and b"<html>" in s.body, True, False),
    "error_body": (lambda s: s.status == 200 and "message" in s.parts[0]["error"], True, False),
    "stall": (lambda s: half(s) and late(s), True, True),
    "cut": (lambda s: half(s) and s.broke is not None and not late(s), True, True),
    "unfinished": (lambda s: half(s) and s.broke is None, True, True),
    "refusal": (lambda s: bool(s.output("refusal")) and not s.output("content") and s.finish == "stop", True, True),
    "refusal_text": (lambda s: s.output("content").startswith("I'm sorry") and s.finish == "stop", True, True),
    "content_filter": (lambda s: s.finish == "content_filter" and s.done, True, True),
    "empty": (lambda s: not s.output("content") + s.output("reasoning") and s.finish == "stop", True, True),
    "truncated": (lambda s: s.finish == "length" and "boxed" not in s.output("content"), True, True),
    "other_model": (lambda s: {part["model"] for part in s.parts} == {"another-model"} and s.done, True, True),
    "runaway": (lambda s: len(s.output("content")) == 2_500_000 and s.finish == "stop" and s.done, True, True),
    "trickle": (late, True, True),
}
"""By fault: what the client sees, whether work was begun, and whether an answer was paid for."""


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("fault", SIGNS)
async def test_a_fault_looks_to_the_client_as_it_should_and_is_logged(server: Server, fault: str, stream: bool) -> None:
    sign, begun, paid = SIGNS[fault]
    await server.misbehave({"rates": {fault: 1}, "runaway_mb": 2.5})
    seen = await look(server.http, stream, QUIET if fault in SILENT else httpx.Timeout(10))
    assert sign(seen), seen
    await server.busy(0)
    records = server.log("requests")
    assert [record["at"] for record in records] == (["begun", "ended"] if begun else ["refused"])
    last = records[-1]
    assert (last["fault"], last["paid"], last["status"]) == (fault, paid, seen.status)
    assert (last["completion_tokens"] > 0) == (paid and fault != "empty" and (fault != "trickle" or not stream))
    assert last["delivered"] == (last["status"] == 200 and fault not in ("stall", "cut", "unfinished", "trickle"))
    assert len(server.log("answers")) == paid

    await server.misbehave({})
    sound = await look(server.http, stream, httpx.Timeout(10))
    await server.busy(0)
    assert sound.done
    assert sound.usage is not None
    ended = server.log("requests")[-1]
    assert (ended["delivered"], ended["fault"]) == (True, None)
    assert [ended["prompt_tokens"], ended["completion_tokens"]] == list(sound.usage.values())[:2]


async def test_a_trickle_sends_a_token_at_a_time_in_its_own_time(server: Server) -> None:
    await server.misbehave({"rates": {"trickle": 1}, "trickle_s": 0.2})
    began, came = asyncio.get_running_loop().time(), []
    request = {"model": MODEL, "messages": [{"role": "user", "content": PROBLEM.text}], "stream": True}
    async with server.http.stream("POST", "/v1/chat/completions", json=request) as response:
        async for line in response.aiter_lines():
            if line and (text := json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("reasoning")):
                came.append(text)
            if len(came) == 4:
                break
    assert asyncio.get_running_loop().time() - began > 0.6
    assert [len(text) for text in came] == [4] * 4


async def test_faults_are_drawn_anew_for_a_repeated_request_at_declared_rates(server: Server) -> None:
    sums = []
    for _ in range(2):
        await server.misbehave({"rates": {"503": 0.3, "empty": 0.1}, "retry_after_s": 7})
        replies = [await server.ask(seed=1) for _ in range(400)]
        assert {r.headers.get("Retry-After") for r in replies if r.status_code == 503} == {"7"}
        failed = [r.status_code == 503 for r in replies]
        empty = [r.status_code == 200 and not r.json()["choices"][0]["message"]["content"] for r in replies]
        for count, rate in ((sum(failed), 0.3), (sum(empty), 0.1)):
            assert abs(count - 400 * rate) <= 4 * math.sqrt(400 * rate * (1 - rate))
        sums.append((failed, empty))
    assert sums[0] == sums[1], "the throws begin anew with each change"


async def test_a_server_over_its_concurrency_limit_answers_429(server: Server) -> None:
    await server.misbehave({"at_once": 2, "retry_after_s": 3, "rates": {"hang": 1}}, model=MODEL)
    held = [asyncio.create_task(server.http.post("/v1/chat/completions", json=hello())) for _ in range(2)]
    await server.busy(2)
    refused = await server.ask("third")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert (await server.ask("other", model="sim-all")).status_code == 200
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    await server.busy(0)
    await server.misbehave({"at_once": 2})
    assert (await server.ask("fourth")).status_code == 200
    last = {record["request_id"]: (record["at"], record["status"]) for record in server.log("requests")}
    assert (last["third"], last["fourth"]) == (("refused", 429), ("ended", 200))


async def test_a_server_that_queues_never_says_429_and_works_in_order_of_arrival(server: Server) -> None:
    await server.misbehave({"at_once": 1, "busy": "queue", "rates": {"hang": 1}})
    first = asyncio.create_task(server.http.post("/v1/chat/completions", json=hello()))
    await server.busy(1)
    await server.misbehave({"at_once": 1, "busy": "queue"})
    tasks = {}
    for place, name in enumerate(("b", "gone", "c", "d"), start=1):
        headers = {"Idempotency-Key": name}
        call = server.http.post("/v1/chat/completions", json=hello(), headers=headers)
        tasks[name] = asyncio.create_task(call)
        await server.busy(1, place)
    assert (await server.figures())["vllm:kv_cache_usage_perc"] == 1
    tasks.pop("gone").cancel()
    await server.busy(1, 3)
    first.cancel()
    answers = await asyncio.gather(*tasks.values())
    assert {answer.status_code for answer in answers} == {200}
    records = server.log("requests")
    assert [r["request_id"] for r in records if r["at"] == "begun"] == [None, "b", "c", "d"]
    assert [r["request_id"] for r in records if r["at"] == "left"] == ["gone"]
    assert Counter(r["at"] for r in records) == {"begun": 4, "ended": 4, "left": 1}


async def test_who_waits_is_let_in_when_the_limit_is_lifted(server: Server) -> None:
    await server.misbehave({"at_once": 1, "busy": "queue", "rates": {"hang": 1}})
    tasks = [asyncio.create_task(server.http.post("/v1/chat/completions", json=hello())) for _ in range(3)]
    await server.busy(1, 2)
    await server.misbehave({})
    await server.busy(3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.busy(0)


@pytest.mark.parametrize("leaves_first", [True, False])
async def test_a_client_that_leaves_in_the_moment_of_its_turn_costs_no_place(leaves_first: bool) -> None:
    engine = Engine(MODEL, 0, Faults(at_once=1, busy="queue"))
    await engine.enter()
    gone, following = (asyncio.create_task(engine.enter()) for _ in range(2))
    await asyncio.sleep(0)
    assert engine.waiting == 2
    for act in (gone.cancel, engine.leave) if leaves_first else (engine.leave, gone.cancel):
        act()
    async with asyncio.timeout(5):
        await following
    assert gone.cancelled()
    assert (engine.running, engine.waiting) == (1, 0)


async def test_metrics_count_tokens_as_the_answers_do(server: Server) -> None:
    usages = [(await server.ask(seed=seed)).json()["usage"] for seed in range(3)]
    await server.busy(0)
    figures = await server.figures()
    assert figures["vllm:prompt_tokens_total"] == sum(usage["prompt_tokens"] for usage in usages)
    assert figures["vllm:generation_tokens_total"] == sum(usage["completion_tokens"] for usage in usages)
    assert figures["vllm:kv_cache_usage_perc"] == figures["vllm:num_requests_running"] == 0


async def test_a_stream_waits_before_the_first_and_between_later_tokens(server: Server) -> None:
    await server.misbehave({"first_token_ms": 200, "tokens_per_s": 4000})
    loop = asyncio.get_running_loop()
    request = {**hello(PROBLEM.text), "stream": True, "stream_options": {"include_usage": True}}
    began, times, usage = loop.time(), [], None
    async with server.http.stream("POST", "/v1/chat/completions", json=request) as response:
        async for line in response.aiter_lines():
            times.append(loop.time() - began)
            if '"usage"' in line:
                usage = json.loads(line.removeprefix("data: "))["usage"]
    assert usage is not None
    assert times[0] >= 0.2
    assert times[-1] - 0.2 >= usage["completion_tokens"] / 4000 * 0.9
    whole = loop.time()
    await server.ask()
    assert loop.time() - whole >= 0.2 + usage["completion_tokens"] / 4000


def test_latencies_are_long_tailed_and_fixed_by_request() -> None:
    settings = Settings(latency_ms={MODEL: 1000})

    def seconds(seed: int) -> float:
        requested = ChatRequest.model_validate({**hello(), "seed": seed})
        answer = Completion.of(requested, Reply("solve", "words", "right"), 0)
        return Latency.of(requested, answer, None, Faults(spread=0.5), settings).rest_s

    times = [seconds(seed) for seed in range(4000)]
    assert times == [seconds(seed) for seed in range(4000)]
    assert abs(sum(times) / len(times) - 1) < 4 * math.sqrt((math.exp(0.25) - 1) / len(times))
    assert 10 <= sum(time > 3 for time in times) <= 60
    assert min(times) < 0.4


FORMS: dict[type[BaseModel], str] = {
    Topics: "Subject: physics\nCount: 3",
    Draft: "Subject: physics\nTopic: optics",
    Judgement: f"Proposed answer: {PROBLEM.answer}\n{PROBLEM.text}",
    Grade: "Key: 1/2\nAnswer: 0.5",
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
async def test_without_structured_output_the_schema_in_the_prompt_tells_the_task(
    server: Server, form: type[BaseModel]
) -> None:
    named = {"type": "json_schema", "json_schema": {"name": form.__name__.lower(), "schema": {}}}
    request = {**hello(FORMS[form]), "seed": 5, "model": "sim-writer"}

    async def text(**more: Any) -> str:
        reply = await server.http.post("/v1/chat/completions", json={**request, **more})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["choices"][0]["message"]["content"])

    obeyed = await text(response_format=named)
    await server.misbehave({"structured": "ignore"})
    prose = await text(response_format=named)
    assert prose.startswith("Sure")
    assert obeyed in prose
    await server.misbehave({"structured": "refuse"})
    refused = await server.http.post("/v1/chat/completions", json={**request, "response_format": named})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "response_format")
    for indent in (None, 2):
        schema = json.dumps(form.model_json_schema(), indent=indent)
        reported = hello(f"{FORMS[form]}\n\nAnswer with one JSON object of this JSON Schema:\n{schema}\nNothing else.")
        assert await text(**reported) == f"```json\n{obeyed}\n```"
        assert await text(**reported, response_format={"type": "json_object"}) == obeyed


@pytest.mark.parametrize("kind", ["503", "reset"])
async def test_an_outage_takes_every_route_of_the_models_and_ends_on_request(server: Server, kind: str) -> None:
    async def works(path: str) -> bool:
        try:
            if path == "chat":
                return (await server.ask()).status_code == 200
            return (await server.http.get(path)).status_code == 200
        except (httpx.HTTPError, aiohttp.ClientError):
            return False

    paths = ("chat", "/v1/models", "/metrics", "/readyz")
    await server.misbehave({"outage": kind})
    assert [await works(path) for path in paths] == [False, False, False, True]
    await server.misbehave({"outage": kind}, model="sim-all")
    assert [await works(path) for path in paths] == [True] * 4


async def test_faults_are_shown_as_they_are_and_errors_in_them_are_reported(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.misbehave({"rates": {"cut": 0.5}}, model=MODEL)
    assert (await server.http.get("/sim/faults")).json()[MODEL]["rates"] == {"cut": 0.5}
    mistakes: list[dict[str, Any]] = [
        {"sim-slover": {}},
        {"*": {"rates": {"503": 0.7, "cut": 0.4}}},
        {"*": {"rates": {"404": 1}}},
        {"*": {"atonce": 1}},
    ]
    for wrong in mistakes:
        refused = await server.http.put("/sim/faults", json=wrong)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_request")
        monkeypatch.setenv("CHIMERA_SIM_FAULTS", json.dumps(wrong))
        with pytest.raises(ValidationError):
            Settings()
    assert (await server.http.get("/sim/faults")).json()[MODEL]["rates"] == {"cut": 0.5}
    monkeypatch.setenv("CHIMERA_SIM_FAULTS", '{"*": {"at_once": 4}}')
    assert Settings().faults["*"].at_once == 4


def hello(text: str = "Hello?") -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}]}
