"""The client against a server that speaks the OpenAI protocol, with its variants and its failures."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel

from shared.errors import Refusal, Transient
from shared.llm import Models, Prompt, RoleModel, Roles, probe_endpoints
from shared.llm.client import ChatModel
from shared.ports import Malformed

KEY = "sk-very-secret-0123"
PROMPT = Prompt("ask", "You are terse.\n---\nProblem: $problem\nIt costs $$5.\n")
FIELDS = {"problem": "What is\n2+2?"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Grade(BaseModel):
    """A form."""

    agrees: bool
    reason: str


@asynccontextmanager
async def server(*replies: Handler) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Each call gets the next reply, the last one again and again. Yields base URL and the requests seen."""
    seen: list[dict[str, Any]] = []

    async def chat(request: web.Request) -> web.StreamResponse:
        seen.append({**await request.json(), "authorization": request.headers.get("Authorization")})
        return await replies[min(len(seen), len(replies)) - 1](request)

    async def models(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") not in (None, f"Bearer {KEY}"):
            return web.json_response({"error": {"message": "wrong key"}}, status=401)
        return web.json_response({"data": [{"id": "m1"}, {"id": "m2"}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", seen
    finally:
        await runner.cleanup()


def streamed(*deltas: dict[str, str], finish: str | None = "stop", usage: dict[str, Any] | None = None) -> Handler:
    chunks: list[dict[str, Any]] = [{"choices": [{"delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"choices": [{"delta": {}, "finish_reason": finish}], "system_fingerprint": "rev-1"})
    if usage:
        chunks.append({"choices": [], "usage": usage})

    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write(b": keep-alive\n\n")
        for chunk in chunks:
            await response.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\r\n\r\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    return reply


async def split(request: web.Request) -> web.StreamResponse:
    """One character cut in two, and half a character."""
    pieces = "".join(
        f'data: {{"choices": [{{"delta": {{"content": "{piece}"}}, "finish_reason": "stop"}}]}}\n\n'
        for piece in ("\\ud835", "\\udd38 ", "\\ud835")
    )
    return web.Response(text=pieces, content_type="text/event-stream")


async def garbage(request: web.Request) -> web.StreamResponse:
    """No HTTP."""
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 nonsense\r\n\r\n")
    request.transport.close()
    return web.Response()


def plain(status: int, body: Any, content_type: str = "application/json") -> Handler:
    async def reply(request: web.Request) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, content_type=content_type)

    return reply


async def silent(request: web.Request) -> web.StreamResponse:
    """Says one word, then nothing."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b'data: {"choices": [{"delta": {"content": "Well"}}]}\n\n')
    await asyncio.sleep(5)
    return response


@asynccontextmanager
async def model(url: str, **spec: Any) -> AsyncIterator[ChatModel]:
    models = Models(Roles.one(RoleModel(endpoint="here", base_url=url, model="m1", **spec)))
    try:
        yield models.model("writer", PROMPT, "problem_writer")
    finally:
        await models.aclose()


async def test_request_and_provenance() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}
    reply = streamed({"reasoning": "2 and 2"}, {"content": "It is "}, {"content": "4\u2028."}, usage=usage)
    async with server(reply) as (url, seen), model(url, temperature=0.6, max_tokens=50, simulated=True) as ask:
        got = await ask.complete(FIELDS, seed=7)
    assert (got.text, got.reasoning, got.finished) == ("It is 4\u2028.", "2 and 2", True)
    assert seen[0]["messages"] == [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Problem: What is 2+2?\nIt costs $5."},
    ]
    assert seen[0]["seed"] == 7
    assert "top_p" not in seen[0]
    made = got.provenance
    assert (made.prompt_tokens, made.completion_tokens, made.reasoning_tokens) == (9, 5, 3)
    assert (made.endpoint, made.model, made.revision, made.simulated) == ("here", "m1", "rev-1", True)
    assert (made.role, made.prompt, made.prompt_hash) == ("problem_writer", "ask", PROMPT.hash)
    assert (made.finish_reason, made.temperature, made.top_p, made.cost) == ("stop", 0.6, None, None)


@pytest.mark.parametrize(
    ("reply", "text", "reasoning", "finished"),
    [
        (streamed({"reasoning_content": "hm"}, {"content": "4"}), "4", "hm", True),
        (streamed({"reasoning": "hm", "reasoning_content": "hm"}, {"content": "4"}), "4", "hm", True),
        (streamed({"content": "<think>h"}, {"content": "m</th"}, {"content": "ink>\n4"}), "4", "hm", True),
        (streamed({"content": "hm</think>4"}), "4", "hm", True),
        (split, "𝔸 \ufffd", "", True),
        (streamed({"content": "<think>hm"}), "", "hm", False),
        (streamed({"reasoning": "hm"}), "", "hm", False),
        (streamed({"reasoning": "hm"}, {"content": "4"}, finish="length"), "4", "hm", False),
        (plain(200, {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}), "4", "", True),
    ],
    ids=[
        "reasoning_content",
        "both",
        "inline",
        "only_closed",
        "surrogates",
        "never_closed",
        "no_text",
        "length",
        "not_streamed",
    ],
)
async def test_thinking_and_unfinished(reply: Handler, text: str, reasoning: str, finished: bool) -> None:
    async with server(reply) as (url, _), model(url) as ask:
        got = await ask.complete(FIELDS, seed=1)
    assert (got.text, got.reasoning, got.finished) == (text, reasoning, finished)
    assert got.provenance.completion_tokens is None


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        *((plain(code, {"error": {"message": f"no {KEY}"}}), str(code)) for code in (400, 401, 404, 429, 500, 503)),
        (plain(502, "<html>bad gateway</html>", "text/html"), "502"),
        (plain(404, {"detail": "Not Found"}), "Not Found"),
        (plain(200, {"error": {"message": "overloaded"}}), "overloaded"),
        (plain(200, "what?", "text/plain"), "JSON"),
        (streamed({"content": "4"}, finish=None), "gave up"),
        (streamed({"content": "4"}, finish="abort"), "abort"),
        (silent, "Timeout"),
        (garbage, "here"),
    ],
)  # fmt: skip
async def test_failures_are_transient_and_never_show_the_key(
    reply: Handler, message: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEST_KEY", KEY)
    async with server(reply) as (url, seen), model(url, api_key_env="TEST_KEY", idle_s=0.3) as ask:
        with pytest.raises(Transient, match=message) as failed:
            await ask.complete(FIELDS, seed=1)
    assert seen[0]["authorization"] == f"Bearer {KEY}"
    assert "here" in str(failed.value)
    assert KEY not in "".join(traceback.format_exception(failed.value)) + caplog.text


async def test_nobody_there_is_transient() -> None:
    async with model("http://127.0.0.1:9/v1") as ask:
        with pytest.raises(Transient, match="here"):
            await ask.complete(FIELDS, seed=1)


async def test_structured_asks_by_schema_and_again_with_another_seed() -> None:
    good = {"content": '```json\n{"agrees": true, "reason": "same"}\n```'}
    async with server(streamed({"content": "Sure!"}), streamed(good)) as (url, seen), model(url) as ask:
        grade, calls = await ask.structured(FIELDS, Grade, seed=7)
    assert grade == Grade(agrees=True, reason="same")
    assert [call.attempt for call in calls] == [0, 1]
    assert len({request["seed"] for request in seen}) == 2
    asked = seen[0]["response_format"]["json_schema"]
    assert (asked["name"], asked["strict"]) == ("grade", True)
    assert asked["schema"]["additionalProperties"] is False
    assert asked["schema"]["required"] == ["agrees", "reason"]


async def test_structured_gives_up_with_its_calls() -> None:
    async with server(streamed({"content": '{"agrees": true'})) as (url, seen), model(url) as ask:
        with pytest.raises(Malformed, match="3 tries") as failed:
            await ask.structured(FIELDS, Grade, seed=7)
    assert len(failed.value.calls) == len(seen) == 3


async def test_a_runaway_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.llm.answer.TEXT_LIMIT", 100)
    async with server(streamed(*[{"content": "again "}] * 1000)) as (url, _), model(url) as ask:
        got = await ask.complete(FIELDS, seed=1)
    assert not got.finished
    assert got.provenance.finish_reason == "text_limit"


def test_a_prompt_takes_its_fields_and_reads_no_value_as_a_template() -> None:
    [_, user] = PROMPT.messages({"problem": "$problem costs $5"})
    assert user["content"].startswith("Problem: $problem costs $5\n")
    for fields in ({}, {"problem": "p", "answer": "a"}):
        with pytest.raises(ValueError, match="takes"):
            PROMPT.messages(fields)


def test_roles_refuse_what_cannot_work(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    with pytest.raises(Refusal, match="cannot read"):
        Roles.load(file)
    spec = {"base_url": "http://h/v1", "model": "m"}
    file.write_text(json.dumps({"writer": spec, "verifier_a": spec, "verifier_b": spec, "solvr": spec}))
    with pytest.raises(Refusal, match="solv"):
        Roles.load(file)
    file.write_text(json.dumps(dict.fromkeys(("writer", "verifier_a", "verifier_b", "solver"), spec)))
    roles = Roles.load(file)
    assert roles["writer"].model == "m"
    with pytest.raises(Refusal, match="base"):
        roles["base"]
    file.write_text(json.dumps({"writer": {**spec, "base_url": f"https://user:{KEY}@h/v1"}}))
    with pytest.raises(Refusal) as refused:
        Roles.load(file)
    assert KEY not in str(refused.value)


async def test_preflight_names_role_address_and_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "wrong")
    async with server() as (url, _):
        good = RoleModel(base_url=url, model="m1")
        assert await probe_endpoints(Roles.one(good)) == []
        roles = Roles(
            writer=good,
            verifier_a=good.model_copy(update={"model": "m9"}),
            verifier_b=good.model_copy(update={"api_key_env": "WRONG"}),
            solver=good.model_copy(update={"base_url": "http://127.0.0.1:9/v1"}),
            judge=good.model_copy(update={"api_key_env": "UNSET_KEY"}),
        )
        unknown, key, down, unset = await probe_endpoints(roles)
    assert "m1, m2" in unknown
    assert url in unknown
    assert "WRONG" in key
    assert "127.0.0.1:9" in down
    assert "UNSET_KEY" in unset
