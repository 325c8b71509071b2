"""Servers made of fragments: a whole answer is used, a partial one never, and one call is one request."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Transient
from shared.llm import Models, Prompt
from shared.ports import Reply
from tests.support.fixed_endpoint import USAGE, chunk, config, endpoint, http, sse

TEXTS = st.sampled_from(["So ", "\\boxed{42}", "é", "\u2028", "."])
NOISE: list[Any] = [
    *(": comment", "data:", 'event: ping\ndata: {"type": "ping"}', "retry: 5"),
    *({}, {"choices": None}, {"choices": [], "usage": USAGE}, {"choices": [{"index": 0, "delta": None}]}),
    *(chunk({"content": None}), chunk({"role": "assistant"}), chunk({"content": ""}, usage=[-1])),
    *(chunk({"content": []}), {"choices": [{"index": 1, "delta": {"content": "other"}}]}),
]
BROKEN: list[Any] = [
    *("data: {", "data: " + "[" * 100_000, "data: [1]", "data: null", 'event: error\ndata: {"message": "dead"}'),
    *({"error": "dead"}, {"error": {"message": "dead", "code": 500}}, {"choices": 7}, {"choices": [7]}),
    *(chunk({"content": 42}), chunk({"content": {"a": 1}}), chunk({"content": [[[[[[[[["x"]]]]]]]]]})),
    *(chunk([7]), chunk({}, 7), chunk({"reasoning": 7})),
]
ENDS = st.sampled_from(["stop", "STOP", "length", "content_filter", "load_shed", "", None])
FAULTS = {"length": "too_long", "content_filter": "refused"}


async def call(body: bytes) -> tuple[Reply | Transient, int]:
    requests: list[Any] = []

    def answer(request: Any) -> bytes:
        requests.append(request)
        return http(body)

    async with endpoint(answer) as url:
        models = Models(config(url), "test")
        try:
            return await models.model("solver", Prompt("p", "Say 42")).complete({}, seed=1), len(requests)
        except Transient as error:
            return error, len(requests)
        finally:
            await models.aclose()


@given(st.lists(st.tuples(st.sampled_from(["text", "noise", "broken"]), st.integers(0, 99)), max_size=6), TEXTS, ENDS)
@settings(max_examples=60, deadline=None)
def test_a_whole_answer_is_used_and_a_partial_one_never(
    kinds: list[tuple[str, int]], first: str, end: str | None
) -> None:
    texts, fragments, is_broken = [first], [chunk({"content": first})], end not in ("stop", "STOP", *FAULTS)
    for kind, number in kinds:
        if kind == "text":
            texts.append(f"t{number}")
            fragments.append(chunk({"content": texts[-1]}))
        else:
            fragments.append((NOISE if kind == "noise" else BROKEN)[number % len(NOISE if kind == "noise" else BROKEN)])
            is_broken = is_broken or kind == "broken"
    outcome, requests = asyncio.run(call(sse(*fragments, chunk({}, end))))
    assert requests == 1
    assert isinstance(outcome, Transient) == is_broken
    if isinstance(outcome, Reply):
        text = "".join(texts).strip()
        assert outcome.text == text
        assert outcome.fault == FAULTS.get(end or "", None if text else "empty")
