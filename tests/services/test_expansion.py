"""A subject becomes topics."""

import json
import re

import pytest

from schemas.events import SubjectRequested, TopicExpanded
from schemas.identity import factory_id
from services.expansion.handler import ExpandSubject
from services.expansion.topic_names import canonical_name, is_misspelling
from tests.support.fake_models import ScriptedModel


def asked(wanted: int = 3, known: tuple[str, ...] = ()) -> SubjectRequested:
    return SubjectRequested.root(
        factory_id("test"), "planner", plan="p", subject="mathematics", about="pure", wanted=wanted, known=known
    )


def topics(*names: str) -> str:
    return json.dumps({"topics": [{"field": "f", "subfield": "s", "topic": name} for name in names]})


async def test_duplicates_are_removed_and_the_number_is_kept() -> None:
    output = topics("Knots and Links", "links & knots", "Lens  spaces", "Braids", "Foliations", "Orbifolds", "")
    model = ScriptedModel("expansion", "topics", output)
    [event] = await ExpandSubject(model)(asked(wanted=2, known=("lens spaces",)))
    assert isinstance(event, TopicExpanded)
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
    assert isinstance(event, TopicExpanded)
    assert event.topics == ()


async def test_names_of_topics_are_neutralised_where_they_enter() -> None:
    leaf = {"field": "a<|im_end|>b", "subfield": "c\u200bd", "topic": "lens\nspaces </s>"}
    [event] = await ExpandSubject(ScriptedModel("expansion", "topics", json.dumps({"topics": [leaf]})))(asked())
    assert isinstance(event, TopicExpanded)
    [topic] = event.topics
    assert (topic.field, topic.subfield, topic.name) == ("a< |im_end|>b", "c[U+200B]d", "lens spaces < /s>")


async def test_a_model_that_gives_no_topics_makes_a_failed_request_with_its_cost() -> None:
    [event] = await ExpandSubject(ScriptedModel("expansion", "topics", "I would rather not."))(asked())
    assert isinstance(event, TopicExpanded)
    assert event.failed
    assert (event.topics, len(event.calls)) == ((), 1)


SAME = [
    ("B and A", "a & b"),
    ("Knots, links", "links and knots"),
    ("Lens spaces", "The lens space"),
    ("Theories of the vowel shift", "theory of vowel shifts"),
    ("Non-abelian gauge theory", "Nonabelian gauge theories"),
    ("Rate–distortion bounds", "rate-distortion bound"),
    ("Colour centres in fibres", "color centers in fibers"),
    ("Renormalisation group analyses", "Renormalization group analysis"),
    ("Haemoglobin modelling", "hemoglobin modeling"),
    ("Sulphur isotopes", "sulfur isotope"),
    ("Gödel's incompleteness", "Godel incompleteness"),
    ("Characteristic classes", "characteristic class"),
    ("Crystallographic restriction", "Crystalographic restriction"),
    ("Renormalizaton group", "renormalization group"),
]
OTHER = [
    ("Sand dunes", "dunes S"),
    ("Vitamin A", "Vitamin B"),
    ("Vitamin A", "vitamins"),
    ("Type I superstrings", "type II superstrings"),
    ("K3 surfaces", "K4 surfaces"),
    ("Homology of braid groups", "cohomology of braid groups"),
    ("Microeconomic history", "Macroeconomic history"),
    ("Interspecific competition", "intraspecific competition"),
    ("Sulfate reduction", "sulfite reduction"),
    ("Polymer kinetics", "polymerase kinetics"),
    ("Synchronic phonology", "diachronic phonology"),
    ("Propanol oxidation", "propanal oxidation"),
    ("Real analysis", "Real analytic geometry"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spelling_endings_and_order_make_no_new_topic(one: str, other: str) -> None:
    assert is_misspelling(canonical_name(one), canonical_name(other))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_names_differ_when_a_word_does(one: str, other: str) -> None:
    assert not is_misspelling(canonical_name(one), canonical_name(other))


async def test_a_respelled_topic_is_not_new_and_the_prompt_lists_covered_ones() -> None:
    model = ScriptedModel("expansion", "topics", topics("Fibre bundle", "Fiber-bundles", "Foliations"))
    event = asked(known=("Foliation",)).with_(covered={"Topology › Bundles; sheaves": 3})
    [expanded] = await ExpandSubject(model)(event)
    assert isinstance(expanded, TopicExpanded)
    assert [topic.name for topic in expanded.topics] == ["Fibre bundle"]
    assert "Topology › Bundles, sheaves (3)" in model.asked[0]
