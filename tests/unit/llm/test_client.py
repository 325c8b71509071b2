"""The client against a server that speaks the OpenAI protocol, with its variants and its failures."""

import asyncio
import json
import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from pydantic import BaseModel, SecretStr

from schemas.config.models_config import Endpoint, ModelsConfig, Price, RoleModel, Roles
from shared.errors import Invalid, Refusal, Transient
from shared.llm import Models, Prompt, load_models_config, probe_endpoints
from shared.llm.client import ChatModel
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
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
async def server(
    *replies: Handler, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
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
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/v1", seen
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
        with suppress(ConnectionResetError):  # a client leaves an answer that is broken
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


async def dead(request: web.Request) -> web.StreamResponse:
    """Says nothing at all."""
    await asyncio.sleep(5)
    return web.Response()


async def trickle(request: web.Request) -> web.StreamResponse:
    """Says a word now and then, without end."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for _ in range(50):
        await response.write(b'data: {"choices": [{"delta": {"content": "Well"}}]}\n\n')
        await asyncio.sleep(0.1)
    return response


@asynccontextmanager
async def model(url: str, place: dict[str, Any] | None = None, **part: Any) -> AsyncIterator[ChatModel]:
    role = RoleModel(endpoint="here", model="m1", **part)
    cast = ModelsConfig(
        endpoints={"here": Endpoint(base_url=url, **(place or {}))},
        roles=Roles(writer=role, verifier_a=role, verifier_b=role, solver=role),
    )
    models = Models(cast, "problem_writer")
    try:
        yield models.model("writer", PROMPT)
    finally:
        await models.aclose()


async def test_request_and_provenance() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}
    reply = streamed({"reasoning": "2 and 2"}, {"content": "It is "}, {"content": "4\u2028."}, usage=usage)
    spec: dict[str, Any] = {"temperature": 0.6, "max_tokens": 50, "extra": {"top_k": 20}}
    price = Price(input=1, output=10)
    async with server(reply) as (url, seen), model(url, {"simulated": True}, price=price, **spec) as ask:
        got = await ask.complete(FIELDS, seed=7)
    assert (got.text, got.reasoning, got.finished) == ("It is 4\u2028.", "2 and 2", True)
    assert seen[0]["messages"] == [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Problem: What is 2+2?\nIt costs $5."},
    ]
    assert seen[0]["seed"] == 7
    assert seen[0]["top_k"] == 20
    assert "top_p" not in seen[0]
    made = got.provenance
    assert (made.prompt_tokens, made.completion_tokens, made.reasoning_tokens) == (9, 5, 3)
    assert (made.endpoint, made.model, made.revision, made.simulated) == ("here", "m1", "rev-1", True)
    assert (made.role, made.prompt, made.prompt_hash) == ("problem_writer", "ask", PROMPT.hash)
    assert (made.finish_reason, made.temperature, made.top_p, made.cost) == ("stop", 0.6, None, 59e-6)
    assert made.extra == {"top_k": 20}


@pytest.mark.parametrize(
    ("reply", "text", "reasoning", "fault"),
    [
        (streamed({"reasoning_content": "hm"}, {"content": "4"}), "4", "hm", None),
        (streamed({"reasoning": "hm", "reasoning_content": "hm"}, {"content": "4"}), "4", "hm", None),
        (streamed({"content": "<think>h"}, {"content": "m</th"}, {"content": "ink>\n4"}), "4", "hm", None),
        (streamed({"content": "hm</think>4"}), "4", "hm", None),
        (split, "𝔸 \ufffd", "", None),
        (streamed({"content": "<think>hm"}), "", "hm", "empty"),
        (streamed({"reasoning": "hm"}), "", "hm", "empty"),
        (streamed({"reasoning": "hm"}, {"content": "4"}, finish="length"), "4", "hm", "too_long"),
        (plain(200, {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}), "4", "", None),
        (streamed({"refusal": "I cannot help with that."}), "", "", "refused"),
        (streamed({"content": "4"}, finish="content_filter"), "4", "", "refused"),
        (streamed(), "", "", "empty"),
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
        "refusal",
        "filtered",
        "empty",
    ],
)
async def test_thinking_and_unfinished(reply: Handler, text: str, reasoning: str, fault: str | None) -> None:
    async with server(reply) as (url, _), model(url) as ask:
        got = await ask.complete(FIELDS, seed=1)
    assert (got.text, got.reasoning, got.fault) == (text, reasoning, fault)
    assert got.provenance.completion_tokens is None


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        *((plain(code, {"error": {"message": f"no {KEY}"}}), Busy, str(code)) for code in (401, 404, 429, 503)),
        (plain(400, {"error": {"message": f"context too long {KEY}"}}), Invalid, "context too long"),
        (plain(500, {"error": {"message": f"oops {KEY}"}}), Transient, "500"),
        (plain(502, "<html>bad gateway</html>", "text/html"), Busy, "502"),
        (plain(404, {"detail": "Not Found"}), Busy, "Not Found"),
        (plain(200, {"error": {"message": "overloaded"}}), Transient, "overloaded"),
        (plain(200, {"error": {"message": "slow down", "code": 429}}), Busy, "429"),
        (plain(200, "what?", "text/plain"), Transient, "neither JSON nor server-sent events: 'what\\?'"),
        (plain(200, "x" * 17 * 1024 * 1024, "text/plain"), Transient, "more than"),
        (garbage, Transient, "here"),
    ],
)  # fmt: skip
async def test_what_an_endpoint_says_is_reported_apart_and_never_shows_the_key(
    reply: Handler, kind: type[Exception], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with server(reply) as (url, seen):
        endpoint = EndpointClient("here", Endpoint(base_url=url), SecretStr(KEY))
        with pytest.raises(kind, match=message) as failed:
            [chunk async for chunk in endpoint.chat({})]
        await endpoint.aclose()
    assert seen[0]["authorization"] == f"Bearer {KEY}"
    assert "here" in str(failed.value)
    assert KEY not in "".join(traceback.format_exception(failed.value)) + caplog.text


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (streamed({"content": "4"}, finish=None), "without a finish reason"),
        (streamed({"content": "4"}, finish="abort"), "abort"),
        (plain(200, {"choices": 7}), "not a chat completion"),
        (silent, "Timeout"),
        (dead, "Timeout"),
        (trickle, "Timeout"),
    ],
)
async def test_a_call_that_breaks_is_one_attempt(reply: Handler, message: str) -> None:
    limits = {"first_token_s": 0.3, "idle_s": 0.3, "call_s": 1.0}
    async with server(reply) as (url, seen), model(url, limits) as ask:
        with pytest.raises(Transient, match=message):
            await ask.complete(FIELDS, seed=1)
    assert len(seen) == 1


async def test_an_absent_endpoint_or_an_unknown_certificate_counts_as_busy(tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with server(streamed({"content": "4"}), tls=tls) as (url, _):
        places = {
            "http://127.0.0.1:9/v1": "nothing listens at 127.0.0.1:9$",
            "http://nowhere.invalid/v1": "the host of nowhere.invalid is unknown: ",
            url: "the certificate of 127.0.0.1:.* is not trusted: ",
        }
        for place, message in places.items():
            endpoint = EndpointClient("here", Endpoint(base_url=place))
            with pytest.raises(Busy, match=message):
                [chunk async for chunk in endpoint.chat({})]
            await endpoint.aclose()
        async with model(url, {"ca": tmp_path / "ca.pem"}) as ask:
            assert (await ask.complete(FIELDS, seed=1)).text == "4"


async def test_a_truncated_answer_is_requested_again_with_more_tokens() -> None:
    cut = streamed({"content": "4"}, finish="length")
    async with server(cut, cut, streamed({"content": "42"})) as (url, seen):
        async with model(url, max_tokens=100, ceiling=300) as ask:
            got = await ask.complete(FIELDS, seed=1)
        async with model(url, max_tokens=100) as ask:
            await ask.complete(FIELDS, seed=1)
    assert [request["max_tokens"] for request in seen] == [100, 200, 300, 100]
    assert (got.text, got.fault, len(got.calls)) == ("42", None, 3)


async def test_an_endpoint_without_response_format_gets_the_schema_in_the_prompt() -> None:
    refusal = plain(400, {"error": {"message": "response_format is not supported"}})
    wordy = streamed({"content": 'Here it is: {"agrees": true, "reason": "same"} Bye.'})
    async with server(refusal, wordy) as (url, seen), model(url) as ask:
        grade, _ = await ask.structured(FIELDS, Grade, seed=7)
        await ask.structured(FIELDS, Grade, seed=8)
    assert grade == Grade(agrees=True, reason="same")
    assert ["response_format" in request for request in seen] == [True, False, False]
    assert '"title": "Grade"' in seen[1]["messages"][-1]["content"]


async def test_structured_asks_by_schema_and_shows_what_was_wrong() -> None:
    good = {"content": '```json\n{"agrees": true, "reason": "same"}\n```'}
    async with server(streamed({"content": "Sure!"}), streamed(good)) as (url, seen), model(url) as ask:
        grade, calls = await ask.structured(FIELDS, Grade, seed=7)
    assert grade == Grade(agrees=True, reason="same")
    assert [call.attempt for call in calls] == [0, 1]
    assert len({request["seed"] for request in seen}) == 2
    assert [message["role"] for message in seen[1]["messages"]] == ["system", "user", "assistant", "user"]
    assert "Sure!" in seen[1]["messages"][2]["content"]
    requested = seen[0]["response_format"]["json_schema"]
    assert (requested["name"], requested["strict"]) == ("grade", True)
    assert requested["schema"]["additionalProperties"] is False
    assert requested["schema"]["required"] == ["agrees", "reason"]


async def test_structured_gives_up_with_its_calls() -> None:
    async with server(streamed({"content": '{"agrees": true'})) as (url, seen), model(url) as ask:
        with pytest.raises(Malformed, match="3 attempts") as failed:
            await ask.structured(FIELDS, Grade, seed=7)
    assert len(failed.value.calls) == len(seen) == 3


async def test_a_runaway_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.llm.replies.stream_accumulator.TEXT_LIMIT", 100)
    async with server(streamed(*[{"content": "again "}] * 1000)) as (url, _), model(url) as ask:
        got = await ask.complete(FIELDS, seed=1)
    assert got.fault == "runaway"


def test_a_prompt_takes_its_fields_and_reads_no_value_as_a_template() -> None:
    [_, user] = PROMPT.messages({"problem": "$problem costs $5"}, 1)
    assert user["content"].startswith("Problem: $problem costs $5\n")
    for fields in ({}, {"problem": "p", "answer": "a"}):
        with pytest.raises(ValueError, match="takes"):
            PROMPT.messages(fields, 1)


def test_a_models_file_that_cannot_work_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    with pytest.raises(Refusal, match="cannot be read"):
        load_models_config(file)
    place, part = {"base_url": "http://h/v1"}, {"model": "m"}
    roles = dict.fromkeys(("writer", "verifier_a", "verifier_b", "solver"), part)

    def write(**changes: Any) -> None:
        file.write_text(json.dumps({"endpoints": {"default": place}, "roles": roles, "allow_shared": True, **changes}))

    write(roles={**roles, "solvr": part})
    with pytest.raises(Refusal, match="solvr"):
        load_models_config(file)
    write(roles={**roles, "judge": {**part, "endpoint": "elsewhere"}})
    with pytest.raises(Refusal, match="no endpoint 'elsewhere'"):
        load_models_config(file)
    write(endpoints={"default": {"base_url": f"https://user:{KEY}@h/v1"}})
    with pytest.raises(Refusal) as refused:
        load_models_config(file)
    assert KEY not in str(refused.value)
    write()
    models = Models(load_models_config(file), "writer")
    assert models.model("writer", PROMPT).name == "m"
    with pytest.raises(Refusal, match="base"):
        models.model("base", PROMPT)


async def test_preflight_names_role_address_and_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WRONG", "wrong")
    async with server() as (url, _):
        assert await probe_endpoints(ModelsConfig.one(Endpoint(base_url=url), "m1")) == []
        places = {
            "good": Endpoint(base_url=url),
            "wrong": Endpoint(base_url=url, key_env="WRONG"),
            "down": Endpoint(base_url="http://127.0.0.1:9/v1"),
            "unset": Endpoint(base_url=url, key_file=tmp_path / "key"),
        }
        roles = Roles(
            writer=RoleModel(endpoint="good", model="m1"),
            verifier_a=RoleModel(endpoint="good", model="m9"),
            verifier_b=RoleModel(endpoint="wrong", model="m1"),
            solver=RoleModel(endpoint="down", model="m1"),
            judge=RoleModel(endpoint="unset", model="m1"),
        )
        unknown, key, down, unset = await probe_endpoints(ModelsConfig(endpoints=places, roles=roles))
    assert "m1, m2" in unknown
    assert url in unknown
    assert "WRONG" in key
    assert "127.0.0.1:9" in down
    assert str(tmp_path / "key") in unset
