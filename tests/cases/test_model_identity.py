"""Which model it was: one vLLM server under several names is one model."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from schemas.item import Item, Provenance, Step
from services.cli.check.model_check import describe
from services.cli.check.model_probe import ProbeResult
from shared.llm import Models, Prompt
from shared.llm.replies.wire import parse_models
from tests.support.fake_models import item, provenance
from tests.support.fixed_endpoint import GOOD, as_json, config, endpoint, http, sse

CACHED = "/home/lab/.cache/huggingface/hub/models--Qwen--Qwen3-32B/snapshots/" + "0a" * 20
QWEN = "Qwen/Qwen3-32B@" + "0a" * 20


@pytest.mark.parametrize(
    ("entry", "weights"),
    [
        ({"id": "m", "root": "Qwen/Qwen3-32B"}, "Qwen/Qwen3-32B"),
        ({"id": "m", "root": CACHED}, QWEN),
        ({"id": "m", "root": "/models/qwen"}, "/models/qwen"),
        ({"id": "m", "root": "m"}, None),
        ({"id": "m", "root": ["x"]}, None),
        ({"id": "m"}, None),
        ("m", None),
    ],
)
def test_a_list_of_models_says_what_is_behind_a_name(entry: Any, weights: str | None) -> None:
    assert parse_models([entry]) == {"m": weights}


async def test_a_recorded_call_has_the_weights_behind_its_name() -> None:
    async with endpoint(http(sse(*GOOD)), as_json({"data": [{"id": "m", "root": CACHED}]})) as url:
        models = Models(config(url), "t")
        reply = await models.model("solver", Prompt("p", "Say 42")).complete({}, seed=1)
        await models.aclose()
    assert reply.provenance.weights == QWEN
    assert reply.provenance.full_name == f"m ({QWEN})"
    assert reply.provenance.answered_by == QWEN
    labels = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "default", "gen_ai_request_model": "m"}
    answered = {**labels, "gen_ai_response_model": QWEN, "chimera_role": "t", "gen_ai_token_type": "output"}
    assert REGISTRY.get_sample_value("gen_ai_client_token_usage_sum", answered) == 7


def test_names_of_one_model_are_the_writers_by_weights() -> None:
    made = made_by(problem_writer=ONE.with_(weights=QWEN))
    step = made.lineage[0].with_(type="problem.verified", calls=(OTHER.with_(weights=QWEN),))
    assert made.writer_names() == {"one"}
    assert made.writer_names(OTHER) == {"one"}
    assert made.with_(lineage=(*made.lineage, step)).writer_names() == {"one", "other"}


def made_by(**calls: Provenance) -> Item:
    steps = [call.with_(role=role) for role, call in calls.items()]
    lineage = Step(type="problem.drafted", service="x", event=item().id, calls=tuple(steps))
    return item().with_(lineage=(lineage,))


ONE = provenance().with_(model="one", endpoint="a")
OTHER = provenance().with_(model="other", endpoint="b")
PAIRS = {
    "two names": (ONE, OTHER, True),
    "one name": (ONE, OTHER.with_(model="one"), False),
    "one hub id": (ONE.with_(weights=QWEN), OTHER.with_(weights="Qwen/Qwen3-32B"), False),
    "a hub id as name": (ONE.with_(weights=QWEN), OTHER.with_(model="Qwen/Qwen3-32B"), False),
    "equal paths of two servers": (ONE.with_(weights="/models/m"), OTHER.with_(weights="/models/m"), True),
    "equal paths of one server": (
        ONE.with_(weights="/models/m"),
        OTHER.with_(weights="/models/m", endpoint="a"),
        False,
    ),
    "one model answers for both": (ONE.with_(served="big"), OTHER.with_(served="big", endpoint="a"), False),
}


def test_check_models_reports_one_model_behind_several_names() -> None:
    results = [
        ProbeResult("writer", "a", "one", weights=QWEN),
        ProbeResult("solver", "b", "two", weights="Qwen/Qwen3-32B"),
        ProbeResult("base", "b", "three", weights=QWEN),
    ]
    lines = [line for line, _ in describe(config("http://a.example/v1"), results)]
    assert [line for line in lines if "writer and solver are one model, Qwen/Qwen3-32B" in line]
    assert not [line for line in lines if "base" in line]


@pytest.mark.parametrize("name", PAIRS)
def test_roles_with_the_same_weights_are_not_independent(name: str) -> None:
    writer, verifier, independent = PAIRS[name]
    assert made_by(problem_writer=writer, verifier=verifier).independent == independent
