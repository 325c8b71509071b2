"""Solved problems in the forms in which datasets are published.

columns   question, answer, solution with the thinking in `<think>`, and optionally subject, topic, correctness: as the
          CHIMERA paper's dataset (arXiv 2603.00889) and `chimera dataset export --format paper`
chat      `messages`, or `prompt` and `completion`: one user message, then one of the assistant with its thinking in
          `<think>` and its final answer in a box
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.answers.extract import final_answer

OPEN, CLOSE = "<think>", "</think>"
_CORRECTNESS: Mapping[object, bool | None] = {True: True, False: False, None: None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class SolvedProblem:
    """A problem with its key and a trace."""

    problem: str
    answer: str
    reasoning: str
    """Without its tags; empty when the record has no thinking that can be read."""
    solution: str
    correct: bool | None
    """Whether the trace reaches the key, as the dataset says; a chat is its own key."""
    subject: str = ""
    topic: str = ""


def parse_solved(fields: Mapping[str, Any]) -> SolvedProblem | str:
    """Return the solved problem of a record, or the reason why it is none."""
    if {"question", "answer", "solution"} <= fields.keys():
        return _parse_columns(fields)
    if isinstance(fields.get("messages"), list):
        return _parse_chat(fields["messages"])
    if isinstance(fields.get("prompt"), list) and isinstance(fields.get("completion"), list):
        return _parse_chat([*fields["prompt"], *fields["completion"]])
    return "unknown columns"


def split_trace(text: str) -> tuple[str, str] | None:
    """Return thinking and solution of `<think>…</think>…`; None for any other form. The first tag may be missing."""
    before, closed, solution = text.partition(CLOSE)
    reasoning = before.lstrip().removeprefix(OPEN)
    if not closed or CLOSE in solution or OPEN in reasoning + solution:
        return None
    return reasoning.strip(), solution.strip()


def _parse_columns(fields: Mapping[str, Any]) -> SolvedProblem | str:
    texts = [fields[name] for name in ("question", "answer", "solution")]
    about = [fields.get(name) or "" for name in ("subject", "topic")]
    if not all(isinstance(text, str) for text in (*texts, *about)):
        return "a column is not text"
    question, answer, solution = texts
    if not question.strip() or not answer.strip():
        return "no question or no answer"
    value = fields.get("correctness")
    value = value.casefold() if isinstance(value, str) else value
    if not isinstance(value, bool | str | None) or value not in _CORRECTNESS:
        return "correctness is neither true nor false"
    correct = _CORRECTNESS[value]
    trace = split_trace(solution)
    if correct and (trace is None or not all(trace)):
        return "no thinking in <think>, or no solution after it"
    return SolvedProblem(question, answer, *(trace or ("", "")), correct, *about)


def _parse_chat(messages: list[Any]) -> SolvedProblem | str:
    if not all(isinstance(one, dict) and isinstance(one.get("content"), str) for one in messages):
        return "a message is not text"
    if [one.get("role") for one in messages] != ["user", "assistant"]:
        return "not one message of the user and one of the assistant"
    problem, text = (one["content"] for one in messages)
    trace = split_trace(text)
    if trace is None or not all(trace):
        return "no thinking in <think>, or no solution after it"
    answer = final_answer(trace[1])
    if not problem.strip() or answer is None:
        return "no final answer in a box"
    return SolvedProblem(problem, answer, *trace, correct=True)
