"""Rows of a release, as what the trainer needs of them: split, rendered, measured.

A held-out row is chosen by hash, so that every run of every recipe holds out the same ones: whole topics, and clusters
of problems that differ in their numbers only. What is too long is left out whole and counted; it is the hardest.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

from transformers import PreTrainedTokenizerBase

from schemas.identity import normal_form
from shared.dataset import Dataset
from shared.dataset.storage import Location
from shared.errors import Refusal
from trainer.recipe import HeldOut, Recipe

TRAIN, VALIDATION, CLUSTER, TOPIC = "train", "validation", "cluster", "topic"
HELD_OUT = (CLUSTER, TOPIC)
"""Splits that score a model."""

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """What the trainer reads of a row (`shared.dataset.Row`)."""

    id: str
    subject: str
    field: str
    subfield: str
    topic: str
    problem: str
    answer: str
    answer_type: str
    reasoning: str
    solution: str
    difficulty: float | None
    views: list[str]
    admission: str
    split: str

    @property
    def taught(self) -> bool:
        """Whether its trace is for SFT."""
        return self.admission == "in" and "sft" in self.views

    @property
    def practised(self) -> bool:
        """Whether the teacher failed it, or nobody can tell, but its key is believed: for RL alone."""
        return "rl" in self.views and "sft" not in self.views


def read(dataset: Location, version: int | None, held_out: HeldOut, where: str = "true") -> list[Example]:
    """Every row of a version of the table that is in a view and meets a condition, by id, with its split.

    Raises Refusal when too few rows are left to train on.
    """
    rows = Dataset.open(dataset, version).rows.columns(*(field.name for field in fields(Example)), where=where)
    examples = [Example(**{**row, "split": split(row, held_out)}) for row in sorted(rows, key=lambda row: row["id"])]
    examples = [example for example in examples if example.taught or example.practised]
    found = sum(example.taught and example.split == TRAIN for example in examples)
    if found < held_out.at_least:
        raise Refusal(
            f"{dataset} has {found} rows to train on, fewer than the {held_out.at_least} of held_out.at_least",
            "Grow the dataset, or lower held_out in the recipe",
        )
    return examples


def split(row: dict[str, Any], held_out: HeldOut) -> str:
    """Where a row belongs; one that the dataset itself holds out stays held out."""
    if row["split"] != TRAIN:
        return CLUSTER
    if _share(f"{row['subject']}/{row['topic']}") < held_out.topics:
        return TOPIC
    place = _share(cluster(row["problem"]))
    if place < held_out.clusters:
        return CLUSTER
    return VALIDATION if place < held_out.clusters + held_out.validation else TRAIN


def cluster(problem: str) -> str:
    """What problems share that differ in their numbers only."""
    return re.sub(r"\d+([.,]\d+)*", "#", normal_form(problem))


def _share(text: str) -> float:
    """A place in [0, 1), evenly spread over texts."""
    return int.from_bytes(hashlib.sha256(f"held out/{text}".encode()).digest()[:6]) / 2**48


def prompt(recipe: Recipe, example: Example) -> list[Message]:
    return [{"role": "user", "content": recipe.ask(example.problem)}]


def completion(example: Example) -> list[Message]:
    """The answer as the model is to write it: the thinking inline, which every chat template passes or rearranges."""
    text = f"<think>\n{example.reasoning.strip()}\n</think>\n\n{example.solution.strip()}"
    return [{"role": "assistant", "content": text}]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows that fit, and what was left out. Lengths in tokens, difficulty 0 to 1."""

    rows: list[dict[str, Any]]
    """TRL's conversational prompt-completion form."""
    tokens: int
    longest: int
    too_long: int
    difficulty: float | None
    """Mean of the rows that fit; None: unknown."""
    difficulty_too_long: float | None

    def summary(self) -> dict[str, Any]:
        """Everything but the rows."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "rows"} | {"rows": len(self.rows)}


def measure(examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> Measured:
    """Render and measure every row. Raises Refusal when the tokenizer cannot carry the data."""
    kept: list[tuple[Example, dict[str, Any], int]] = []
    out: list[Example] = []
    for at, example in enumerate(examples):
        row = {"prompt": prompt(recipe, example), "completion": completion(example)}
        ids = _ids(tokenizer, row["prompt"] + row["completion"])
        if at == 0:
            check_round_trip(tokenizer, ids, example)
        if len(ids) <= recipe.max_length:
            kept.append((example, row, len(ids)))
        else:
            out.append(example)
    return Measured(
        rows=[row for _, row, _ in kept],
        tokens=sum(length for _, _, length in kept),
        longest=max((length for _, _, length in kept), default=0),
        too_long=len(out),
        difficulty=_mean(example.difficulty for example, _, _ in kept),
        difficulty_too_long=_mean(example.difficulty for example in out),
    )


def check_round_trip(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], example: Example) -> None:
    """Refuse a template that drops the thinking, and a tokenizer that cannot write the text it reads."""
    text = tokenizer.decode(ids)
    for what, part in (("thinking", example.reasoning), ("solution", example.solution)):
        if _bare(part) not in _bare(text):
            raise Refusal(
                f"the {what} of row {example.id} does not come back from the tokenizer and its chat template",
                "Use another base model, or a chat template that keeps the thinking of the last turn",
            )


def _ids(tokenizer: PreTrainedTokenizerBase, messages: list[Message]) -> list[int]:
    if tokenizer.chat_template is None:
        raise Refusal("the tokenizer of the base model has no chat template", "Use a base model that has one")
    ids: list[int] = tokenizer.apply_chat_template(messages, return_dict=False)
    return ids


def _bare(text: str) -> str:
    return "".join(text.split())


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
