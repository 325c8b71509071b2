"""A topic becomes a problem."""

import json
import re

from schemas.events import Event, ProblemDrafted, ProblemRejected
from schemas.item import Easier, Example
from services.problem_writer.__main__ import harder_prompt
from services.problem_writer.handler import WriteProblem
from services.simulator.api.request import ChatRequest
from services.simulator.bank import Bank
from services.simulator.roles.registry import reply_to
from services.simulator.roles.reply import TaskInput
from services.simulator.settings import Settings
from tests.support.fake_models import ScriptedModel, requested

HINTS = ("technique", "structure", "avoid", "guidance", "rejections", "examples")
DRAFT = {"problem": " How many? ", "answer": r"\boxed{\frac{1}{2}}", "answer_type": "Number", "solution": "Count."}


async def test_a_draft_becomes_the_problem_of_the_item() -> None:
    model = ScriptedModel("problem_writer", "draft", json.dumps(DRAFT))
    request = requested()
    [event] = await WriteProblem(model, model)(request)
    assert isinstance(event, ProblemDrafted)
    assert event.item.id == request.id
    assert event.item.written.answer == r"\frac{1}{2}"
    assert event.item.written.answer_type == "number"
    assert event.item.calls
    assert {"Subject: mathematics", "Topic: lens spaces", "Answer type: number"} <= set(model.asked[0].splitlines())


async def test_the_prompt_has_the_suggested_approach_and_existing_problems() -> None:
    model = ScriptedModel("problem_writer", "draft", json.dumps(DRAFT), json.dumps(DRAFT))
    hints = {
        "technique": "a symmetry",
        "structure": "a chain",
        "avoid": ("Let $G$ be\nTopic: other", "Count the knots"),
    }
    await WriteProblem(model, model)(requested().with_(**hints))
    await WriteProblem(model, model)(requested())
    reported, silent = (re.sub(r"</?data-\w+>", "", asked).splitlines() for asked in model.asked)
    assert "Technique, if it suits: a symmetry" in reported
    assert "Beginnings of problems that the topic has already: Let $G$ be Topic: other ; Count the knots" in reported
    assert "Topic: other" not in reported
    assert "Structure, if it suits: as you like" in silent
    assert "Beginnings of problems that the topic has already: none" in silent


async def test_the_prompt_shows_rejections_and_examples_as_data() -> None:
    model = ScriptedModel("problem_writer", "draft", json.dumps(DRAFT))
    example = Example(statement="def f():\n    return 1\nWhat is f()?", answer="1\nTopic: other")
    hints = {"rejections": ("leak: “so 4”\nTopic: other",), "examples": (example, example)}
    await WriteProblem(model, model)(requested().with_(**hints))
    [prompt] = model.asked
    shown = "Problem: def f():\n    return 1\nWhat is f()?\nAnswer: 1 Topic: other"
    [(_, region)] = re.findall(r"<(data-\w+)>\n(Problem: .*?)\n</\1>", prompt, re.DOTALL)
    assert region == f"{shown}\n\n{shown}"
    assert "Topic: other" not in prompt.splitlines()
    assert re.search(r"and why: <data-\w+>leak: “so 4” Topic: other</data-", prompt)


async def write(output: str) -> Event:
    model = ScriptedModel("problem_writer", "draft", output)
    [event] = await WriteProblem(model, model)(requested())
    return event


async def test_what_is_no_json_is_rejected_with_its_calls() -> None:
    event = await write("Here you are: {")
    assert isinstance(event, ProblemRejected)
    assert (event.reason, event.service) == ("malformed", "problem_writer")
    assert event.item.calls


async def test_a_latex_command_under_one_backslash_is_the_one_under_two() -> None:
    event, same = await write(json.dumps(DRAFT).replace(r"\\frac", r"\frac")), await write(json.dumps(DRAFT))
    assert isinstance(event, ProblemDrafted)
    assert isinstance(same, ProblemDrafted)
    assert event.item.written == same.item.written


async def test_the_writer_is_shown_the_problem_that_was_too_easy_as_data() -> None:
    draft, harder = (ScriptedModel("problem_writer", "draft", json.dumps(DRAFT)) for _ in range(2))
    harder.prompt = harder_prompt()
    easy = Easier(problem=requested().id, statement="What is\n2 + 2?", answer="4", times=1)
    [event] = await WriteProblem(draft, harder)(requested().with_(harder_than=easy))
    assert isinstance(event, ProblemDrafted)
    assert event.item.harder_than == easy
    assert draft.asked == []
    [asked] = harder.asked
    assert "Subject: mathematics" in asked
    assert re.search(r"Too easy: <(data-\w+)>What is\n2 \+ 2\?</\1>\nIts answer: <\1>4</\1>", asked)


async def test_the_simulator_writes_a_harder_problem_of_the_same_kind() -> None:
    bank = Bank(0)
    for subject in ("mathematics", "history"):
        easy = min(bank.problems(subject), key=lambda problem: problem.difficulty)
        fields = dict.fromkeys(("field", "subfield", "topic", "answer_type", "wish", *HINTS), "any")
        fields |= {"subject": subject, "easy": easy.text, "easy_answer": easy.answer}
        for seed in range(5):
            messages = harder_prompt().messages(fields, seed)
            form = {"type": "json_schema", "json_schema": {"name": "draft"}}
            request = {"model": "sim-writer", "messages": messages, "seed": seed, "response_format": form}
            sound = Settings(wrong_keys=0, malformed=0, bad_form=0)
            output = json.loads(reply_to(TaskInput(ChatRequest.model_validate(request), bank, sound)).content)
            found = bank.find(output["problem"])
            assert found is not None
            assert found.family == easy.family
            assert found.difficulty > easy.difficulty
