"""The formats of exported records, and their records for one row."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from shared.dataset import Row
from shared.dataset.schema import arrow_schema
from shared.stats.item_belief import row_belief

Record = dict[str, Any]

_TEXT = pa.string()
_CHAT = pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))


@dataclass(frozen=True, slots=True)
class RecordFormat:
    """The columns, and a function from running number and row to records: none, one or several."""

    schema: pa.Schema
    records: Callable[[int, Mapping[str, Any]], Iterator[Record]]
    split: str | None = None
    """One split for all rows; otherwise each row has its own."""


INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."
"""Follows the problem in every prompt, as in the solver's (services/synthesis/prompts/solve.md)."""


def question(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the problem as the first message of a conversation."""
    return _message("user", f"{row['problem']}\n\n{INSTRUCTION}")


def trace(reasoning: str, solution: str) -> str:
    """Return the whole solution in one text, as reasoning models write it."""
    return f"<think>\n{reasoning}\n</think>\n\n{solution}"


def _row(number: int, row: Mapping[str, Any]) -> Iterator[Record]:
    yield {**row, "belief": row_belief(row)}


def _problem(number: int, row: Mapping[str, Any]) -> Iterator[Record]:
    yield {name: row[name] for name in ("id", "problem")}


def _paper(number: int, row: Mapping[str, Any]) -> Iterator[Record]:
    yield {
        "index": number,
        "subject": row["subject"],
        "topic": row["topic"],
        "question": row["problem"],
        "answer": row["answer"],
        "solution": trace(row["reasoning"], row["solution"]),
        "original_solution": row["rationale"],
        "correctness": row["correct"],
    }


def _verl(number: int, row: Mapping[str, Any]) -> Iterator[Record]:
    columns = ("id", "subject", "topic", "answer_type", "tier", "difficulty", "split")
    yield {
        "data_source": f"chimera/{row['plan']}",
        "prompt": question(row),
        "ability": row["subject"],
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {"index": number, **{name: row[name] for name in columns}, "belief": row_belief(row)},
    }


def _chat(number: int, row: Mapping[str, Any]) -> Iterator[Record]:
    """The conversation, whole and in two parts; none for a row without a solution that agrees with the key."""
    if row["correct"]:
        completion = _message("assistant", trace(row["reasoning"], row["solution"]))
        columns = ("id", "subject", "topic", "answer", "answer_type", "tier", "difficulty")
        yield {
            "messages": question(row) + completion,
            "prompt": question(row),
            "completion": completion,
            **{name: row[name] for name in columns},
            "belief": row_belief(row),
        }


def _preference(number: int, row: Mapping[str, Any]) -> Iterator[Record]:
    """Pair the first correct trace without flaws with each wrong one."""
    attempts = json.loads(row["attempts"])
    correct = [one for one in attempts if one["agrees"] == "yes" and not one["flaws"]]
    for wrong in (one for one in attempts if correct and one["agrees"] == "no"):
        yield {
            "prompt": _message("user", row["problem"]),
            "chosen": _message("assistant", trace(correct[0]["reasoning"], correct[0]["solution"])),
            "rejected": _message("assistant", trace(wrong["reasoning"], wrong["solution"])),
            "id": row["id"],
            "subject": row["subject"],
        }


def _message(role: str, content: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content}]


_EXTRA = pa.struct(
    [("index", pa.int64())]
    + [(name, _TEXT) for name in ("id", "subject", "topic", "answer_type", "tier")]
    + [("difficulty", pa.float64()), ("split", _TEXT), ("belief", pa.float64())]
)

ROWS = RecordFormat(arrow_schema(Row).append(pa.field("belief", pa.float64())), _row)
PROBLEMS = RecordFormat(pa.schema([("id", _TEXT), ("problem", _TEXT)]), _problem, split="problems")
"""Statements alone, held-out ones among them: a benchmark for the plan of another factory."""
PAPER = RecordFormat(
    pa.schema(
        [("index", pa.int64())]
        + [(n, _TEXT) for n in ("subject", "topic", "question", "answer", "solution", "original_solution")]
        + [("correctness", pa.bool_())]
    ),
    _paper,
)
"""The released columns of the CHIMERA paper, in their order."""
VERL = RecordFormat(
    pa.schema(
        [
            ("data_source", _TEXT),
            ("prompt", _CHAT),
            ("ability", _TEXT),
            ("reward_model", pa.struct([("style", _TEXT), ("ground_truth", _TEXT)])),
            ("extra_info", _EXTRA),
        ]
    ),
    _verl,
)
CHAT = RecordFormat(
    pa.schema(
        [(name, _CHAT) for name in ("messages", "prompt", "completion")]
        + [(name, _TEXT) for name in ("id", "subject", "topic", "answer", "answer_type", "tier")]
        + [("difficulty", pa.float64()), ("belief", pa.float64())]
    ),
    _chat,
)
"""Conversations with the thinking in `<think>` tags, as trainers for supervised fine-tuning take them."""
PREFERENCE = RecordFormat(
    pa.schema([("prompt", _CHAT), ("chosen", _CHAT), ("rejected", _CHAT), ("id", _TEXT), ("subject", _TEXT)]),
    _preference,
)
"""Conversations, as TRL's preference trainers take them."""
