"""Records of published datasets as solved problems: what is read whole is taken, the rest has a reason."""

from typing import Any

import pytest

from shared.dataset.records import parse_solved
from shared.dataset.records.solved import SolvedProblem, split_trace

TRACE = "<think>\nSix times seven.\n</think>\n\nSo \\boxed{42}."
PAPER = {
    "index": 0,
    "subject": "mathematics",
    "topic": "products",
    "question": "6*7?",
    "answer": "42",
    "solution": TRACE,
    "original_solution": "",
    "correctness": True,
}
EXPECTED = {"role": "user", "content": "6*7?"}
CHAT = {"messages": [EXPECTED, {"role": "assistant", "content": TRACE}]}


@pytest.mark.parametrize(
    ("record", "about", "correct"),
    [
        (PAPER, ("mathematics", "products"), True),
        (PAPER | {"correctness": "False"}, ("mathematics", "products"), False),
        ({name: PAPER[name] for name in ("question", "answer", "solution")}, ("", ""), None),
        (CHAT, ("", ""), True),
        ({"prompt": CHAT["messages"][:1], "completion": CHAT["messages"][1:], "source": "x"}, ("", ""), True),
    ],
)
def test_every_published_form_gives_the_same_problem(
    record: dict[str, Any], about: tuple[str, str], correct: bool | None
) -> None:
    expected = SolvedProblem("6*7?", "42", "Six times seven.", "So \\boxed{42}.", correct, *about)
    assert parse_solved(record) == expected


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"problem": "6*7?", "answer": "42"}, "unknown columns"),
        (PAPER | {"answer": 42}, "a column is not text"),
        (PAPER | {"question": " "}, "no question or no answer"),
        (PAPER | {"correctness": "maybe"}, "correctness is neither true nor false"),
        (PAPER | {"correctness": 1.5}, "correctness is neither true nor false"),
        (PAPER | {"correctness": []}, "correctness is neither true nor false"),
        (PAPER | {"solution": "It is 42."}, "no thinking in <think>, or no solution after it"),
        ({"messages": [EXPECTED]}, "not one message of the user and one of the assistant"),
        ({"messages": [{"role": "system", "content": "Be terse."}, *CHAT["messages"]]}, "not one message of the user"),
        ({"messages": [EXPECTED, {"role": "assistant", "content": None}]}, "a message is not text"),
        ({"messages": [EXPECTED, {"role": "assistant", "content": "<think>a</think>42"}]}, "no final answer in a box"),
        ({"messages": "6*7?"}, "unknown columns"),
    ],
)
def test_a_record_that_cannot_be_read_whole_has_a_reason(record: dict[str, Any], reason: str) -> None:
    found = parse_solved(record)
    assert isinstance(found, str)
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        ("<think>a</think>b", ("a", "b")),
        ("a</think>b", ("a", "b")),
        ("<think>a</think>b</think>c", None),
        ("<think>a<think>b</think>c", None),
        ("say <think>a</think>b", None),
        ("<think>a", None),
        ("b", None),
    ],
)
def test_a_trace_has_one_closed_thinking_part(text: str, trace: tuple[str, str] | None) -> None:
    assert split_trace(text) == trace
