"""A topic becomes a problem."""

import json

from schemas.events import ProblemDrafted, ProblemRejected
from services.problem_writer.handler import WriteProblem
from tests.scripted import ScriptedModel, requested

DRAFT = {"problem": " How many? ", "answer": r"\boxed{\frac{1}{2}}", "answer_type": "Number", "solution": "Count."}


async def test_a_draft_becomes_the_problem_of_the_item() -> None:
    model = ScriptedModel("problem_writer", "draft", json.dumps(DRAFT))
    request = requested()
    [event] = await WriteProblem(model)(request)
    assert isinstance(event, ProblemDrafted)
    assert event.item.id == request.id
    assert event.item.written.answer == r"\frac{1}{2}"
    assert event.item.written.answer_type == "number"
    assert event.item.calls
    assert {"Subject: mathematics", "Topic: lens spaces", "Answer type: number"} <= set(model.asked[0].splitlines())


async def test_what_is_no_json_is_rejected_with_its_calls() -> None:
    [event] = await WriteProblem(ScriptedModel("problem_writer", "draft", "Here you are: {"))(requested())
    assert isinstance(event, ProblemRejected)
    assert (event.reason, event.service) == ("malformed", "problem_writer")
    assert event.item.calls


async def test_a_latex_command_that_json_swallowed_is_malformed() -> None:
    swallowed = json.dumps(DRAFT).replace(r"\\frac", r"\frac")
    [event] = await WriteProblem(ScriptedModel("problem_writer", "draft", swallowed))(requested())
    assert isinstance(event, ProblemRejected)
