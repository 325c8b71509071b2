"""Replies of real servers, as fixed bytes, read by the services' own client. The names say which servers send them."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from schemas.config.models_config import Endpoint
from shared.errors import Invalid, Transient
from shared.llm import Models, Prompt, probe_endpoints
from shared.llm.endpoint import MAX_RETRY_AFTER_S, EndpointClient, _retry_after_s, environment_proxy
from shared.llm.errors import Busy
from shared.llm.replies.sse import read_events
from shared.llm.replies.stream_accumulator import StreamAccumulator
from shared.llm.replies.thinking import split_thinking
from shared.llm.replies.wire import decode, parse_chunk
from shared.llm.replies.wire_error import WireError, parse_error
from shared.ports import Reply
from tests.support.fixed_endpoint import GOOD, TEXT, USAGE, as_json, chunk, config, endpoint, http, replied, sse


async def call(reply: bytes | Callable[[Any], bytes], **role: Any) -> Reply:
    async with endpoint(reply) as url:
        models = Models(config(url, **role), "t")
        try:
            async with asyncio.timeout(4):
                return await models.model("solver", Prompt("p", "Say 42")).complete({}, seed=1)
        finally:
            await models.aclose()


PARTS = [
    chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
    chunk({"content": [{"type": "text", "text": TEXT}]}),
    chunk({}, "stop"),
]

WHOLE = {
    "a plain stream": http(sse(*GOOD)),
    "usage is a list": http(sse(GOOD[1], chunk({}, "stop", usage=[1]))),
    "the fingerprint is a number": http(sse(chunk({"content": TEXT}, "stop", system_fingerprint=12))),
    "counts that are not counts": http(
        sse(*GOOD[:3], {"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 1e400}})
    ),
    "a heartbeat of empty data": http(sse("data:", *GOOD)),
    "the last line has no line feed": http(sse(*GOOD[:2], done=False) + b"data: " + json.dumps(GOOD[2]).encode()),
    "comments (OpenRouter)": http(sse(": OPENROUTER PROCESSING", *GOOD)),
    "a named ping": http(sse('event: ping\ndata: {"type": "ping"}', *GOOD)),
    "CRLF": http(sse(*GOOD, end="\r\n\r\n")),
    "usage after the end": http(sse(*GOOD[:3]) + sse(GOOD[3], done=False)),
    "not streamed": as_json({"model": "m", "choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]}),
    "gzip": http(gzip.compress(sse(*GOOD)), extra="Content-Encoding: gzip\r\n"),
    "null choices and deltas": http(sse({"choices": None}, {"choices": [{"index": 0, "delta": None}]}, *GOOD)),
    "JSON over two lines with a comment between": http(
        sse(*GOOD[:2])
        + b'data: {"choices": [{"index": 0,\n: comment\ndata: "delta": {}, "finish_reason": "stop"}]}\n\n'
    ),
    "an odd content type": http(sse(*GOOD), "application/octet-stream"),
    "a byte order mark": http(b"\xef\xbb\xbf" + sse(*GOOD)),
    "the whole message again at the end": http(
        sse(*GOOD[:2], {"choices": [{"index": 0, "delta": {}, "message": {"content": TEXT}, "finish_reason": "stop"}]})
    ),
    "usage of the choice (Kimi)": http(
        sse(GOOD[1], {"choices": [{"delta": {}, "finish_reason": "stop", "usage": USAGE}]})
    ),
    "usage without counts at the end": http(sse(*GOOD, {"choices": [], "usage": {"completion_tokens": None}})),
    "201 Created": http(sse(*GOOD), status="201 Created"),
    "a text part of null": http(sse(chunk({"content": [{"type": "text", "text": None}]}), *GOOD[1:])),
    "a further choice": http(sse(*GOOD[:2], {"choices": [{"index": 1, "delta": {"content": "43"}}]}, *GOOD[2:])),
    "finish reason in capitals (Gemini)": http(sse(GOOD[1], chunk({}, "STOP"))),
    "thinking as parts (Magistral)": http(sse(*PARTS)),
    "thinking as an object": http(sse(chunk({"reasoning": {"text": "hm"}}), *GOOD[1:])),
    "blank reasoning beside tags": http(
        sse(chunk({"reasoning": "\n"}), chunk({"content": "<think>hm</think>" + TEXT}), chunk({}, "stop"))
    ),
    "a closing tag left in the text": http(
        sse(chunk({"reasoning": "hm"}), chunk({"content": "</think>\n\n" + TEXT}), chunk({}, "stop"))
    ),
    "no opening tag (DeepSeek)": replied("hm \\boxed{41}</think>" + TEXT),
    "[THINK] (Magistral, raw)": replied("[THINK]hm \\boxed{41}[/THINK]" + TEXT),
    "<seed:think>": replied("<seed:think>hm \\boxed{41}</seed:think>" + TEXT),
    "◁think▷ (Kimi)": replied("◁think▷hm◁/think▷" + TEXT),
    "harmony without its special tokens": replied(f"analysishm \\boxed{{41}}assistantfinal{TEXT}"),
    "harmony (gpt-oss)": replied(
        f"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{TEXT}<|return|>"
    ),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_a_whole_answer_is_used(name: str) -> None:
    reply = await call(WHOLE[name])
    assert (reply.text, reply.fault) == (TEXT, None)
    thinks = any(word in name for word in ("think", "THINK", "reasoning", "tag", "harmony"))
    assert reply.reasoning.startswith("hm") == thinks
    assert reply.provenance.completion_tokens in (None, 7)


FAULTS = {
    "length (OpenAI)": ("length", "too_long"),
    "model_length (Mistral)": ("model_length", "too_long"),
    "MAX_TOKENS (Gemini)": ("MAX_TOKENS", "too_long"),
    "max_tokens (Anthropic)": ("max_tokens", "too_long"),
    "model_context_window_exceeded (Zhipu)": ("model_context_window_exceeded", "too_long"),
    "sensitive (Zhipu)": ("sensitive", "refused"),
    "content_filter (Azure)": ("content_filter", "refused"),
    "SAFETY (Gemini)": ("SAFETY", "refused"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_partial_answer_has_a_fault(name: str) -> None:
    reason, fault = FAULTS[name]
    reply = await call(http(sse(chunk({"content": "The first step is"}), chunk({}, reason))))
    assert (reply.fault, reply.finished) == (fault, False)


UNFINISHED = (
    "<think>a</think>" + TEXT + "<think>but wait \\boxed{43}",
    "<think>\\boxed{43}",
    "[THINK]\\boxed{43}",
    "<thinking>a</think>\\boxed{43}",
    "<|channel|>analysis<|message|>\\boxed{43}",
)


@pytest.mark.parametrize("text", UNFINISHED)
async def test_an_unfinished_thought_yields_no_answer(text: str) -> None:
    reply = await call(replied(text))
    assert (reply.text, reply.fault) == ("", "empty")
    assert "\\boxed{43}" in reply.reasoning


BROKEN = {
    "insufficient_system_resource (DeepSeek)": (
        http(sse(chunk({"content": "The"}), chunk({}, "insufficient_system_resource"))),
        "insufficient_system_resource",
    ),
    "an error of the choice (OpenRouter)": (
        http(sse(GOOD[1], {"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "gone"}}]})),
        "gone",
    ),
    "a list of errors (Cloudflare)": (as_json({"success": False, "errors": [{"code": 7003, "message": "no"}]}), "no"),
    "an error of no known form (MiniMax)": (as_json({"base_resp": {"status_msg": "odd words"}}), "odd words"),
    "load_shed": (http(sse(chunk({"content": "The"}), chunk({}, "load_shed"))), "load_shed"),
    "no finish reason": (http(sse(chunk({"content": TEXT}))), "without a finish reason"),
    "an error in the stream": (http(sse(GOOD[1], {"error": {"message": "engine dead", "code": 500}})), "engine dead"),
    "a named error": (http(sse(GOOD[1], 'event: error\ndata: {"message": "engine dead"}')), "engine dead"),
    "text of an unknown form": (http(sse(chunk({"content": {"audio": 1}}), chunk({}, "stop"))), "unknown form"),
    "content is a number": (http(sse(chunk({"content": 42}), chunk({}, "stop"))), "unknown form"),
    "deep JSON": (http(b"data: " + b"[" * 100_000 + b"\n\n"), "nested too deep"),
    "not JSON": (http(b"data: <html>\n\n", "text/html"), "invalid reply: Expecting value"),
    "HTML": (http(b"<html>busy</html>", "text/html"), "neither JSON nor server-sent events: '<html>busy"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_answer_is_the_endpoints_fault(name: str) -> None:
    reply, words = BROKEN[name]
    with pytest.raises(Transient, match=words):
        await call(reply)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"error": {"message": "slow down", "code": "429"}}, 429),
        ({"error": {"message": "slow down", "type": "rate_limit_exceeded"}}, 429),
        ({"object": "error", "message": "too long", "type": "BadRequestError", "code": 400}, 400),
        ({"error": {"message": "engine dead", "code": 500}}, 500),
        ([{"error": {"message": "no field", "code": 400, "status": "INVALID_ARGUMENT"}}], 400),
        ({"object": "Error", "message": [{"loc": ["body", "tools"]}], "type": "invalid_request_error"}, 400),
        ({"error": "engine dead"}, None),
        ({"error": {"message": ["odd"], "code": [1]}}, None),
        ({"error": None, "choices": []}, 0),
    ],
)
def test_errors_inside_a_200_are_read_in_all_forms(error: Any, status: int | None) -> None:
    found = parse_error(error)
    assert (found.status if found else 0) == status


async def test_an_error_object_inside_a_200_has_the_servers_words() -> None:
    error = {"object": "error", "message": "the model is sad", "type": "BadRequestError", "code": 400}
    with pytest.raises(Invalid, match="answers 400: the model is sad"):
        await call(as_json(error))


KEYS = st.sampled_from(
    [
        *("choices", "delta", "message", "content", "reasoning", "text", "type", "thinking", "index", "finish_reason"),
        *("usage", "completion_tokens", "completion_tokens_details", "error", "code", "model", "system_fingerprint"),
    ]
)
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@given(VALUES)
def test_any_json_is_a_chunk_an_error_or_invalid(value: Any) -> None:
    for parse in (parse_chunk, parse_error):
        try:
            parse(value)
        except ValueError:
            continue


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_stream_is_read_the_same_however_it_is_cut(data: st.DataObject) -> None:
    stream = data.draw(
        st.sampled_from([sse(*GOOD), sse(*GOOD, end="\r\n\r\n"), sse(*PARTS, end="\r\r"), sse("data:", *GOOD)])
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    answer = StreamAccumulator()

    async def read() -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        async for event in read_events(chunks()):
            if event.data != b"[DONE]":
                answer.add(parse_chunk(decode(event.data)))

    asyncio.run(read())
    assert (answer.parts()[0], answer.is_broken) == (TEXT, False)


@given(st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "[/THINK]", "a", "b ", "\n"]), max_size=8))
def test_thinking_and_text_hold_all_words_and_no_tags(parts: list[str]) -> None:
    text, thinking = split_thinking("".join(parts))
    words = [part.strip() for part in parts if part.strip() in ("a", "b")]
    assert sorted((text + thinking).replace(" ", "").replace("\n", "")) == sorted("".join(words))


FILTERED = {"error": {"message": "The response was filtered due to the prompt", "code": "content_filter"}}
TOO_LONG = {"error": {"message": "This model's maximum context length is 1500 tokens. You requested 2100", "code": 400}}
WORDS = {
    "refused": (
        "Content Exists Risk",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
        "Your request was rejected as a result of our safety system.",
        "Output blocked by content filtering policy",
        "The request was rejected because it was considered high risk",
        "the input text may contain sensitive information",
        "Your chosen model requires moderation and your input was flagged",
    ),
    "too_long": (
        "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "Please reduce the length of the messages or completion.",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 and 1024",
        "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        "Input is too long for requested model.",
        "Range of input length should be [1, 6000]",
        "Your request exceeded model token limit: 8192",
    ),
}


@pytest.mark.parametrize(("fault", "words"), [(fault, words) for fault, texts in WORDS.items() for words in texts])
def test_declined_requests_are_recognised_in_the_words_of_servers(fault: str, words: str) -> None:
    assert WireError(words).fault == fault


@pytest.mark.parametrize(
    "words",
    ["max_tokens is too large: 100000. This model supports at most 4096 completion tokens", "temperature is too high"],
)
def test_other_errors_are_no_declined_requests(words: str) -> None:
    assert WireError(words).fault is None


@pytest.mark.parametrize(
    ("status", "fault"), [("413 Too Large", "too_long"), ("451 Legal", "refused"), ("403 Forbidden", "refused")]
)
async def test_a_status_or_words_say_that_a_request_is_declined(status: str, fault: str) -> None:
    reply = await call(as_json({"error": {"message": "flagged" if fault == "refused" else "no"}}, status))
    assert (reply.text, reply.fault) == ("", fault)


async def test_an_address_that_moved_is_no_fault_of_the_event() -> None:
    async with endpoint(http(b"", status="307 Temporary Redirect", extra="Location: /v2\r\n")) as url:
        client = EndpointClient("e", Endpoint(base_url=url))
        with pytest.raises(Busy, match="answers 307"):
            await anext(client.chat({}))
        await client.aclose()


DECLINED = {
    "Azure's content filter": (FILTERED, "refused"),
    "DashScope's filter": (
        {"error": {"message": "Input may contain sensitive data", "code": "data_inspection_failed"}},
        "refused",
    ),
    "vLLM's context": (TOO_LONG, "too_long"),
    "llama.cpp's context": ({"error": {"message": "the request exceeds the available context size"}}, "too_long"),
    "Anthropic's context": ({"type": "error", "error": {"message": "prompt is too long: 9 tokens > 8"}}, "too_long"),
}


@pytest.mark.parametrize("name", DECLINED)
async def test_a_declined_request_is_a_fault_and_costs_nothing(name: str) -> None:
    error, fault = DECLINED[name]
    reply = await call(as_json(error, "400 Bad Request"), price={"input": 1, "output": 1})
    assert (reply.text, reply.fault) == ("", fault)
    assert (reply.provenance.prompt_tokens, reply.provenance.completion_tokens, reply.provenance.cost) == (0, 0, 0.0)


async def test_a_ceiling_beyond_the_context_keeps_the_paid_answer() -> None:
    def reply(body: Any) -> bytes:
        if body["max_tokens"] <= 1000:
            return http(sse(chunk({"content": "So far"}), chunk({}, "length", usage=USAGE)))
        return as_json(TOO_LONG, "400 Bad Request")

    answer = await call(reply, max_tokens=1000, ceiling=4000)
    assert (answer.text, answer.fault) == ("So far", "too_long")
    assert [one.completion_tokens for one in answer.calls] == [0, 7]


async def test_a_ceiling_that_the_server_refuses_keeps_the_paid_answer() -> None:
    def reply(body: Any) -> bytes:
        if body["max_completion_tokens"] <= 1000:
            return http(sse(chunk({"content": "So far"}), chunk({}, "length", usage=USAGE)))
        return as_json({"error": {"message": "too large: this model supports at most 1500"}}, "400 Bad Request")

    answer = await call(reply, ceiling=4000, extra={"max_completion_tokens": 1000})
    assert (answer.text, answer.fault) == ("So far", "too_long")


async def test_a_null_in_extra_removes_a_parameter() -> None:
    seen: list[Any] = []

    def reply(body: Any) -> bytes:
        seen.append(body)
        return http(sse(*GOOD))

    answer = await call(reply, extra={"seed": None})
    assert (answer.text, answer.provenance.seed, "seed" in seen[0]) == (TEXT, None, False)


LISTS = {
    "OpenAI": as_json({"object": "list", "data": [{"id": "m"}]}),
    "a bare array (Together)": as_json([{"id": "m"}]),
    "a prefix (Gemini)": as_json({"data": [{"id": "models/m"}]}),
    "a tag (Ollama)": as_json({"data": [{"id": "m:latest"}, {"name": "other"}]}),
    "any name (LiteLLM)": as_json({"data": [{"id": "*"}]}),
    "a revision (transformers serve)": as_json({"data": [{"id": "m@main"}]}),
    "an empty list (transformers serve)": as_json({"object": "list", "data": []}),
    "no list": as_json({"detail": "Not Found"}, "404 Not Found"),
    "no list for this method": as_json({}, "405 Method Not Allowed"),
    "a list that fails": as_json({"detail": "no cache"}, "500 Internal Server Error"),
    "a list of an unknown form": as_json({"object": "models"}),
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_model_that_can_be_called_passes_the_preflight(name: str) -> None:
    async with endpoint(as_json({"error": {"message": "no messages"}}, "400 Bad Request"), LISTS[name]) as url:
        assert await probe_endpoints(config(url)) == []


async def test_a_server_without_list_that_ends_an_empty_request_is_tried() -> None:
    async with endpoint(b"", LISTS["no list"]) as url:
        assert await probe_endpoints(config(url)) == []


async def test_a_model_that_is_not_listed_and_answers_passes_the_preflight() -> None:
    async with endpoint(http(sse(*GOOD)), as_json({"data": [{"id": "other"}]})) as url:
        assert await probe_endpoints(config(url)) == []


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (as_json({"object": "list", "data": None}), "it serves nothing"),
        (as_json({"data": [{"id": "other"}, {}, 7]}), "it serves other"),
        (as_json({"error": {"message": "wrong key"}}, "401 Unauthorized"), "answers 401: wrong key"),
    ],
)
async def test_a_model_that_is_not_served_fails_the_preflight(models: bytes, words: str) -> None:
    async with endpoint(as_json({}, "404 Not Found"), models) as url:
        lines = await probe_endpoints(config(url))
        assert [words in line for line in lines] == [True] * 4


def test_retry_after_is_a_number_or_a_date_within_a_limit() -> None:
    assert [_retry_after_s(text) for text in (None, "", "soon", "nan", "1.5", "-3")] == [
        None,
        None,
        None,
        None,
        1.5,
        0.0,
    ]
    assert {_retry_after_s(text) for text in ("inf", "1e9", "Fri, 31 Dec 2100 23:59:59 GMT")} == {MAX_RETRY_AFTER_S}
    assert _retry_after_s("Fri, 31 Dec 1999 23:59:59 GMT") == 0.0


REFUSED_PARAMETERS = {
    "top_p": [{"error": {"message": 'Unknown name "top_p": Cannot find field.', "status": "INVALID_ARGUMENT"}}],
    "seed": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
    "stream_options": {"error": {"message": 'Unknown name "stream_options": Cannot find field.'}},
    "temperature": {"error": {"message": "'temperature' does not support 0.2 with this model. Only the default is"}},
    "max_tokens": {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}},
    "stream": {"error": {"message": "Please verify", "param": "stream", "code": "unsupported_value"}},
}


async def test_refused_parameters_are_left_out_and_the_limit_is_renamed() -> None:
    seen: list[Any] = []

    def reply(body: Any) -> bytes:
        seen.append(body)
        refused = next((name for name in REFUSED_PARAMETERS if name in body), None)
        return as_json(REFUSED_PARAMETERS[refused], "422 Unprocessable") if refused else http(sse(*GOOD))

    answer = await call(reply, temperature=0.2, top_p=0.9, max_tokens=100)
    assert (answer.text, len(seen)) == (TEXT, 7)
    assert seen[-1]["max_completion_tokens"] == answer.provenance.max_tokens == 100
    assert (answer.provenance.seed, answer.provenance.temperature) == (None, None)


async def test_calls_in_flight_learn_from_the_same_refusal() -> None:
    def reply(body: Any) -> bytes:
        return as_json(REFUSED_PARAMETERS["seed"], "422 Unprocessable") if "seed" in body else http(sse(*GOOD))

    async with endpoint(reply) as url:
        models = Models(config(url), "t")
        model = models.model("solver", Prompt("p", "Say 42"))
        replies = await asyncio.gather(*(model.complete({}, seed=seed) for seed in range(12)))
        await models.aclose()
    assert {answer.text for answer in replies} == {TEXT}


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("refused", [{"seed"}, {"stream_options"}, {"seed", "stream_options"}])
async def test_a_parameter_refused_without_its_name_is_found(status: int, refused: set[str]) -> None:
    seen: list[set[str]] = []

    def reply(body: Any) -> bytes:
        seen.append(refused & body.keys())
        return as_json({"error": {"message": "no"}}, f"{status} No") if seen[-1] else replied('{"agrees": "yes"}')

    async with endpoint(reply) as url:
        models = Models(config(url), "t")
        model = models.model("solver", Prompt("p", "Say 42"))
        if status == 500:
            with pytest.raises(Transient):
                await model.complete({}, seed=1)
        replies = await asyncio.gather(*(model.complete({}, seed=seed) for seed in range(4)))
        assert (await model.structured({}, Grade, seed=1))[0] == Grade(agrees="yes")
        await models.aclose()
    assert {answer.provenance.seed is None for answer in replies} == {"seed" in refused}
    assert seen[-1] == set()
    assert sum(map(bool, seen)) <= 9


async def test_a_wrong_value_of_a_parameter_stays_an_error() -> None:
    with pytest.raises(Invalid, match="between 0 and 2"):
        await call(as_json({"error": {"message": "temperature must be between 0 and 2"}}, "400 Bad"), temperature=9)


class Grade(BaseModel):
    agrees: str


SCHEMA_REFUSALS = {
    "in capitals": (400, "Structured Outputs is not available for this model", 1, True),
    "llama.cpp's grammar": (400, "JSON schema conversion failed: unsupported pattern", 1, True),
    "Gemini's schema": (400, "Unknown name \"additionalProperties\" at 'generation_config.response_schema'", 1, True),
    "DeepSeek's format": (400, "This response_format type is unavailable now", 1, True),
    "in other words": (422, "this is not for me", 1, False),
    "the parameter": (400, "response_format is not supported", 1, False),
    "as a server error": (500, "Input should be 'text' or 'json_object'", 2, True),
}
"""Status, message, number of failures, whether it may accept `json_object`."""


async def structured_answers(reply: Callable[[Any], bytes], failures: int) -> None:
    async with endpoint(reply) as url:
        models = Models(config(url), "t")
        model = models.model("solver", Prompt("p", "Say 42"))
        for _ in range(failures - 1):
            with pytest.raises(Transient):
                await model.structured({}, Grade, seed=1)
        for seed in (1, 2):
            assert (await model.structured({}, Grade, seed=seed))[0] == Grade(agrees="yes")
        await models.aclose()


@pytest.mark.parametrize("name", SCHEMA_REFUSALS)
async def test_a_refused_schema_moves_to_the_prompt(name: str) -> None:
    status, message, failures, tries_objects = SCHEMA_REFUSALS[name]
    seen: list[bool] = []

    def reply(body: Any) -> bytes:
        seen.append("response_format" in body)
        return as_json({"error": {"message": message}}, f"{status} No") if seen[-1] else replied('{"agrees": "yes"}')

    await structured_answers(reply, failures)
    assert seen == [True] * (failures + tries_objects) + [False, False]


@pytest.mark.parametrize("name", [name for name in SCHEMA_REFUSALS if SCHEMA_REFUSALS[name][3]])
async def test_an_endpoint_without_schemas_answers_with_an_object(name: str) -> None:
    status, message, failures, _ = SCHEMA_REFUSALS[name]
    seen: list[str] = []

    def reply(body: Any) -> bytes:
        seen.append(body["response_format"]["type"])
        if seen[-1] == "json_schema":
            return as_json({"error": {"message": message}}, f"{status} No")
        assert "JSON Schema" in body["messages"][-1]["content"]
        return replied('{"agrees": "yes"}')

    await structured_answers(reply, failures)
    assert seen == ["json_schema"] * failures + ["json_object"] * 2


async def test_azure_gets_its_version_and_key_with_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        requests.append(request)
        return web.json_response({"data": []})

    async with RawTestServer(answer) as proxy:
        monkeypatch.setenv("http_proxy", str(proxy.make_url("/")))
        address = "http://x.openai.azure.com/openai/deployments/d/?api-version=2024-10-21"
        client = EndpointClient("azure", Endpoint(base_url=address, proxy="env"), SecretStr("secret"))
        await client.models(1)
        await client.aclose()
    [request] = requests
    assert str(request.url) == "http://x.openai.azure.com/openai/deployments/d/models?api-version=2024-10-21"
    assert request.headers["api-key"] == "secret"


@pytest.mark.parametrize("query", ["?key=sk-secret", "?api-version=1&key=2", "?", "#x"])
def test_no_other_query_is_accepted_in_an_address(query: str) -> None:
    with pytest.raises(ValidationError, match="is not an address"):
        Endpoint(base_url=f"https://a.example/v1{query}")


async def test_a_proxy_is_used_only_where_the_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with endpoint(b"", as_json({"data": [{"id": "by the proxy"}]})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", "direct.example")
        address = "http://a.invalid/v1"
        client = EndpointClient("e", Endpoint(base_url=address, proxy="env"))
        assert list(await client.models(1)) == ["by the proxy"]
        await client.aclose()
        direct = EndpointClient("e", Endpoint(base_url=address))
        with pytest.raises(Busy):
            await direct.models(1)
        await direct.aclose()
        assert environment_proxy(httpx.URL("http://direct.example/v1")) is None
