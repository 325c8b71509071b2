"""The user's file as problems. It must be what its descriptor says, or else the score would be another benchmark's."""

import random
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.identity import content_hash
from shared.errors import Refusal
from shared.text.benchmarks import read_rows
from trainer.benchmarks.descriptor import Benchmark
from trainer.data import Example
from trainer.metrics.multiple_choice import LETTER

Row = Mapping[str, Any]
BENCHMARK = "benchmark"
"""The split that no training knows."""
OPTIONS = "\n\n"


def questions(name: str, benchmark: Benchmark, path: Path, seed: int) -> list[Example]:
    """Raises Refusal when the file cannot be read, lacks a column or has another number of questions."""
    rows = read_rows(path, f"the file of {benchmark.title}", f"evaluate.benchmarks.{name} in the recipe")
    _has_columns(name, benchmark, path, rows)
    if benchmark.without:
        rows = [row for row in rows if not row.get(benchmark.without)]
    found = [_example(benchmark, row, seed) for row in rows]
    different = len({example.id for example in found})
    if (len(found), different) != (benchmark.n, benchmark.n):
        raise Refusal(
            f"{path} has {len(found)} questions, {different} of them different; {benchmark.title} has {benchmark.n}",
            f"Take the file of {benchmark.source}, whole and once",
        )
    return found


def _has_columns(name: str, benchmark: Benchmark, path: Path, rows: list[dict[str, Any]]) -> None:
    told = (benchmark.question, benchmark.answer, *benchmark.wrong, benchmark.group, benchmark.without)
    wanted = {*told, benchmark.letters.column if benchmark.letters else None} - {None}
    there = {key for row in rows for key in row}
    if missing := {str(column) for column in wanted - there}:
        raise Refusal(
            f"{path} has no column {', '.join(sorted(missing))}; there is: {', '.join(sorted(there)) or 'none'}",
            f"Take the file of {benchmark.source}, or describe your own in place of {name}",
        )


def _example(benchmark: Benchmark, row: Row, seed: int) -> Example:
    problem, answer = _text(row, benchmark.question), _text(row, benchmark.answer)
    id_ = content_hash(problem)[:16]
    if benchmark.wrong:
        options = [answer, *(_text(row, column) for column in benchmark.wrong)]
        problem, answer = multiple_choice(problem, options, f"{seed}/{id_}")
    choice = benchmark.letters is not None and _text(row, benchmark.letters.column) == benchmark.letters.value
    return Example(
        id=id_,
        subject=benchmark.title,
        field="",
        subfield=_text(row, benchmark.group) if benchmark.group else "",
        topic="",
        problem=problem,
        answer=answer,
        answer_type=LETTER if choice or benchmark.grader == "letter" else "",
        reasoning="",
        solution="",
        difficulty=None,
        views=[],
        admission="",
        split=BENCHMARK,
    )


def multiple_choice(question: str, options: list[str], dice: str) -> tuple[str, str]:
    """The question with its options in a new order, and the letter of the first of those given."""
    order = random.Random(dice).sample(range(len(options)), len(options))  # noqa: S311 - a seeded shuffle
    lines = [
        f"{letter}. {' '.join(options[at].split())}" for letter, at in zip(string.ascii_uppercase, order, strict=False)
    ]
    asked = "Answer with the letter of the right option."
    return question + OPTIONS + "\n".join([*lines, "", asked]), string.ascii_uppercase[order.index(0)]


def stem(problem: str) -> str:
    """The question without the options that were added: what may be found in a row."""
    return problem.partition(f"{OPTIONS}A. ")[0]


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip()
