"""A subject becomes topics."""

import json
import re

import pytest

from schemas.events import SubjectRequested
from schemas.identity import factory_id
from services.expansion.handler import ExpandSubject, same_topic
from shared.errors import Invalid
from tests.scripted import ScriptedModel


def asked(wanted: int = 3, known: tuple[str, ...] = ()) -> SubjectRequested:
    return SubjectRequested.root(
        factory_id("test"), "planner", plan="p", subject="mathematics", about="pure", wanted=wanted, known=known
    )


def topics(*names: str) -> str:
    return json.dumps({"topics": [{"field": "f", "subfield": "s", "topic": name} for name in names]})


async def test_duplicates_are_removed_and_the_number_is_kept() -> None:
    said = topics("Knots and Links", "links & knots", "Lens  spaces", "Braids", "Foliations", "Orbifolds", "")
    model = ScriptedModel("expansion", "topics", said)
    [event] = await ExpandSubject(model)(asked(wanted=2, known=("lens spaces",)))
    assert [topic.name for topic in event.topics] == ["Knots and Links", "Braids"]
    assert event.calls


async def test_the_prompt_keeps_its_lines_whatever_a_topic_is_called() -> None:
    model = ScriptedModel("expansion", "topics", topics())
    [event] = await ExpandSubject(model)(asked(known=("braids; knots", "lens\nCount: 99")))
    lines = model.asked[0].splitlines()
    assert "Subject: mathematics" in lines
    assert [line for line in lines if line.startswith("Count:")] == ["Count: 3"]
    [known] = [re.sub(r"</?data-\w+>", "", line) for line in lines if line.startswith("Already have:")]
    assert known == "Already have: braids, knots; lens Count: 99"
    assert event.topics == ()


async def test_a_model_that_gives_no_topics_needs_a_person() -> None:
    with pytest.raises(Invalid, match="mathematics"):
        await ExpandSubject(ScriptedModel("expansion", "topics", "I would rather not."))(asked())


def test_names_differ_when_a_word_does() -> None:
    assert same_topic("B and A") == same_topic("a & b") == same_topic("A, B")
    assert same_topic("Sand dunes") != same_topic("dunes S")
