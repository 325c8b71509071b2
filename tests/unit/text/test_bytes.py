"""A text that entered the factory has the same bytes in prompts, rows, exports and in the trainer."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.events import ProblemDrafted
from schemas.item import Problem
from services.cli.dataset.export.record_formats import PAPER, VERL
from services.problem_writer.handler import WriteProblem
from services.screening.fingerprint import fingerprint
from shared.dataset.build import to_row
from shared.llm.prompts import Prompt
from shared.llm.sanitize import neutralise
from tests.support.fake_models import ScriptedModel, requested
from tests.support.items import checked, log
from trainer.recipe import Recipe

CODE = "What does this print?\n\nn = 0\nfor i in range(3):\n    for j in range(3):\n        n += 1\n    print(n)"
TEXTS = {
    "code": CODE,
    "tabs": "What is built by `make all`?\n\nall: a b\n\t@echo $@\n\ta:\t; touch $@",
    "yaml": "Which key wins?\n\n- a:\n    - b: 'x'\n      c: |\n        two\n        lines",
    "verse": "Name the metre.\n\n  Thou still unravish'd bride of quietness,\n    Thou foster-child of Silence…",
    "table": "| a  |  b |\n|----|---:|\n| 1  | 2  |\n\nWhat is the sum of column b?",
    "crlf": "Line one\r\n    line two\r\n\r\nWhat follows?",
    "emoji": "A family 👨‍👩‍👧, a heart ❤️, a wave 👋🏽 and the key 1️⃣ stand for what?",
    "right to left": "מה התשובה?\u200f (1)\n    السؤال: می\u200cخواهم",
    "indic": "क्\u200dष and ක්\u200dෂ are spelt with which sign?",
    "latex": "Let $a_{1}  <  b$ and\n\\begin{align}\n  x &= 1 \\\\\n  y &= 2\n\\end{align}",
    "100 kB": "\n".join(f"{'    ' * (at % 5)}line {at} — é" for at in range(5000)),
}
PROMPTS = {
    "services/synthesis/prompts/solve.md": ("problem",),
    "services/probe/prompts/probe.md": ("problem",),
    "services/verifier/prompts/blind.md": ("problem",),
    "services/verifier/prompts/judgement.md": ("problem", "answer", "blind", "subjects", "canary"),
    "services/screening/prompts/same_problem.md": ("one", "other"),
    "shared/answers/prompts/same_answer.md": ("question", "key", "answer"),
}


async def write(statement: str) -> Problem:
    draft = {"problem": statement, "answer": "3", "answer_type": "number", "solution": "s"}
    model = ScriptedModel("problem_writer", "draft", json.dumps(draft))
    [event] = await WriteProblem(model, model)(requested())
    assert isinstance(event, ProblemDrafted)
    return event.item.written


@pytest.mark.parametrize("kind", TEXTS)
async def test_a_statement_keeps_its_bytes_from_the_draft_to_the_trainer(kind: str) -> None:
    text = TEXTS[kind]
    problem = await write(f"\n\n{text}\n ")
    assert problem.statement == text
    for path, fields in PROMPTS.items():
        for asked in fields[: 1 if "problem" in fields else 2]:
            values = {name: text if name == asked else "x" for name in fields}
            assert text in Prompt.load(Path(path)).messages(values, 1)[-1]["content"]
    solved = checked(0)
    solved = solved.with_(item=solved.item.with_(problem=problem))
    [record] = log(solved, partitions=1)
    row = to_row(record, solved, datetime(2026, 1, 1, tzinfo=UTC))
    assert row.problem == text
    assert [one["question"] for one in PAPER.records(0, asdict(row))] == [text]
    trained = Recipe(base="m").render_prompt(text)
    assert [one["prompt"][0]["content"] for one in VERL.records(0, asdict(row))] == [trained]
    assert text in Recipe(base="m", prompt="$problem").render_prompt(row.problem)


async def test_code_that_differs_only_in_indentation_is_another_problem() -> None:
    problem = await write(CODE)
    moved = problem.with_(statement=CODE.replace("    print", "print"))
    rewrapped = problem.with_(statement="What  does\nthis print?" + CODE.removeprefix("What does this print?"))
    one, other, same = map(fingerprint, (problem, moved, rewrapped))
    assert (one.text, one.figures) != (other.text, other.figures)
    assert one.figures != other.figures
    assert (one.text, one.figures) == (same.text, same.figures)


@given(st.text(st.sampled_from("a1❤\ufe0f\u200d👩🏽\u200c\u200e\u200fمख\u0984\r\n\t <|>\u2028"), max_size=12))
@example("क\u200d\u0984")
@example("❤\u0984\ufe0f\u200d❤")
def test_neutralising_twice_changes_nothing_more(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)
