"""The adjudicator chooses between two answers and does not know which is the key."""

import json

import pytest

from schemas.events import EvidenceGiven, EvidenceRequested
from schemas.identity import derive
from services.adjudicator.handler import ROLE, Adjudicate, is_key_first
from tests.support.fake_models import PROBLEM, ScriptedModel, item

RIVAL = "496"


def request(repetition: int = 0, index: int = 0) -> EvidenceRequested:
    made = item(index=index)
    about = {"candidates": (RIVAL,), "repetition": repetition}
    return EvidenceRequested.numbered(made, "adjudication", ROLE, repetition, **about)


def canary(event: EvidenceRequested) -> str:
    return derive(derive(event.id, ROLE), "canary").hex[:6]


async def decide(event: EvidenceRequested, right: str, *, word: str = "") -> tuple[EvidenceGiven, str]:
    reply = {"working": "…", "reason": "because", "right": right, "canary": word or canary(event)}
    model = ScriptedModel("adjudicator", "adjudication", json.dumps(reply))
    [given] = await Adjudicate(model)(event)
    assert isinstance(given, EvidenceGiven)
    return given, model.asked[0]


@pytest.mark.parametrize("repetition", [0, 1])
@pytest.mark.parametrize("right", ["first", "second", "neither"])
async def test_a_choice_is_recorded_by_candidate_in_either_order(repetition: int, right: str) -> None:
    event = request(repetition)
    given, prompt = await decide(event, right)
    key_first = is_key_first(event.item.id, RIVAL, repetition)
    expected = "neither" if right == "neither" else "key" if (right == "first") == key_first else "rival"
    adjudication = given.adjudication
    assert adjudication is not None
    assert (adjudication.chosen, adjudication.key_first, adjudication.rival) == (expected, key_first, RIVAL)
    assert (prompt.index(PROBLEM.answer) < prompt.index(RIVAL)) == key_first
    assert PROBLEM.rationale not in prompt
    assert given.item.calls


def test_the_order_is_random_and_reversed_when_a_pair_is_decided_again() -> None:
    items = [item(index=number) for number in range(400)]
    first = [is_key_first(one.id, RIVAL, 0) for one in items]
    assert 150 < sum(first) < 250
    assert [is_key_first(one.id, RIVAL, 1) for one in items] == [not one for one in first]


async def test_it_is_unable_without_a_model_without_its_word_and_without_json() -> None:
    [alone] = await Adjudicate(None)(request())
    copied, _ = await decide(request(), "first", word="seen in the problem")
    [broken] = await Adjudicate(ScriptedModel("adjudicator", "adjudication", "the first one"))(request())
    for given in (alone, copied, broken):
        assert isinstance(given, EvidenceGiven)
        assert given.unable
        assert given.adjudication is None
