"""Servers made of fragments: a whole answer is used, a partial one never, and one call is one request."""

import asyncio
import json
import random
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ProblemProbed, ProblemScreened
from services.problem_writer.__main__ import build_handler as build_writer
from services.synthesis.__main__ import build_handler as build_solver
from services.verifier.__main__ import build_handler as build_verifier
from services.verifier.settings import Settings
from shared.config.settings import Settings as RuntimeSettings
from shared.errors import Transient
from shared.kafka.clients import Producer
from shared.llm import Models, Prompt
from shared.ports import Reply
from shared.runtime.service import Handler
from shared.runtime.stateless import StatelessLoop
from tests.support.fake_models import GRADER, PROBLEM
from tests.support.fixed_endpoint import USAGE, as_json, chunk, config, endpoint, http, sse
from tests.support.kafka_world import KafkaWorld, until

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


DRAFT = json.dumps({"problem": "What is 1+1, and why?", "solution": "Count.", "answer": "2", "answer_type": "number"})
ANSWERS = [
    *("\\boxed{8128}", "<think>so</think>It is \\boxed{8128}.", "<think>\\boxed{1}", "no idea", "{}", "{" * 1000),
    *(DRAFT, DRAFT, DRAFT, '{"reasons": {}}'),
]
HTTP_ERRORS = [
    *(as_json({"error": {"message": words}}, "400 Bad") for words in ("content_filter", "context length")),
    *(as_json({"error": {"message": ["odd"]}}, "500 Bad"), as_json({"detail": [7]}, "422 Bad")),
    *(b"no HTTP at all", http(sse(chunk({"content": "cut"})))[:-9]),
]


class HostileServer:
    """Replies at random after a first plain answer, and counts whole answers by request."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.paid = Counter[str]()

    def __call__(self, body: Any) -> bytes:
        if self.paid and self._dice.random() < 0.15:
            return self._dice.choice(HTTP_ERRORS)
        fragments = self._dice.choices(NOISE, k=2)
        if self.paid and self._dice.random() < 0.15:
            return http(sse(*fragments, self._dice.choice(BROKEN), chunk({"content": "x"}, "stop")))
        self.paid[json.dumps(body, sort_keys=True)] += 1
        finish = self._dice.choice(["stop", "stop", "stop", "length", "content_filter"])
        return http(sse(*fragments, chunk({"content": self._dice.choice(ANSWERS)}), chunk({}, finish)))


EVENTS = 20


def make_loop(world: KafkaWorld, handler: Handler, settings: RuntimeSettings, producer: Producer) -> StatelessLoop:
    return StatelessLoop(handler, settings, producer, world.outcomes(settings))


async def test_hostile_servers_stop_no_service_and_no_answer_is_paid_twice(world: KafkaWorld) -> None:
    server, requests = HostileServer(random.Random(7)), world.requests(EVENTS)
    items = [request.item.with_(problem=PROBLEM) for request in requests]
    screened = [ProblemScreened.of(one, "screening", item=item) for one, item in zip(requests, items, strict=True)]
    probed = [ProblemProbed.of(one, "probe", item=item) for one, item in zip(requests, items, strict=True)]
    async with endpoint(server) as url, AsyncExitStack() as stack:
        models = Models(config(url), "test")
        stack.push_async_callback(models.aclose)
        verifier = Settings(service="verifier-a", model_role="verifier_a")
        handlers: dict[tuple[str, str], Handler] = {
            ("problem_writer", "problem.requested"): build_writer(models),
            ("verifier-a", "problem.screened"): build_verifier(models, verifier, GRADER, 2, ["physics"]),
            ("synthesis", "problem.probed"): build_solver(models),
        }
        await models.model("solver", Prompt("p", "Say 42")).complete({}, seed=1)  # all parameters are accepted
        await world.publish([*requests, *screened, *probed])
        loops = []
        for (service, _), handler in handlers.items():
            settings = world.settings(service, bugs_in_a_row=1)
            make = partial(make_loop, world, handler, settings)
            loops.append(await stack.enter_async_context(world.running(make)))
        for service, name in handlers:

            async def is_done(service: str = service, name: str = name) -> bool:
                return sum((await world.committed(service, name)).values()) == EVENTS

            await until(is_done, f"all events of {service}", 120.0)
        assert [loop for loop in loops if loop.done()] == []
    classes = {dict(letter.headers)["chimera-error"] for letter in await world.records("dead-letters")}
    assert classes <= {b"Transient", b"Invalid", b"TimedOut", b"UnsupportedSchema"}
    drafts, verdicts, solutions = [
        await world.events(name) for name in ("problem.drafted", "problem.verified", "solution.synthesized")
    ]
    assert drafts
    assert verdicts
    assert solutions
    assert {event.attempt.answer for event in solutions} <= {"8128", None}
    assert set(server.paid.values()) == {1}
