"""Rows of a release for training: split, rendered, measured.

Held-out rows are chosen by hash, so that all runs and recipes hold out the same ones: whole topics, and clusters of
problems that differ only in their numbers. Rows that are too long are left out whole and counted; they are the hardest.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from statistics import fmean
from typing import Any

from transformers import PreTrainedTokenizerBase

from schemas.identity import normal_form
from shared.dataset import Dataset
from shared.dataset.storage import Location
from shared.errors import Refusal
from shared.llm.sanitize import break_tokens
from trainer.example import CLUSTER, TOPIC, TRAIN, VALIDATION, Example
from trainer.files import list_files, read_files
from trainer.recipe import HeldOut, Recipe

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a dataset, and how many were left out while reading, by reason."""

    examples: list[Example]
    left_out: Mapping[str, int]


def read_rows(dataset: Location, version: int | None, held_out: HeldOut, where: str = "true") -> Rows:
    """Read the rows that are in a view and meet the SQL condition, sorted by id, with their split.

    `dataset` is a factory's dataset, or files (`trainer.files`), which have no versions and take no condition.
    Raises Refusal when fewer than `held_out.at_least` are left to train on.
    """
    files = list_files(dataset)
    if files and (version is not None or where != "true"):
        raise Refusal(f"{dataset} has files of records: no version, no condition", "Leave it out")
    found, left_out = read_files(files) if files else (_read_table(dataset, version, where), Counter[str]())
    rows = sorted(found, key=lambda row: row.id)
    examples = [replace(row, split=assign_split(asdict(row), held_out)) for row in rows]
    left_out["in no view"] = sum(not (row.is_for_sft or row.is_rl_only) for row in examples)
    examples = [row for row in examples if row.is_for_sft or row.is_rl_only]
    usable = sum(row.is_for_sft and row.split == TRAIN for row in examples)
    if usable < held_out.at_least:
        raise Refusal(
            f"{dataset} has {usable} rows to train on, fewer than the {held_out.at_least} of held_out.at_least"
            + (f"; left out: {describe(left_out)}" if files else ""),
            "Grow the dataset, or lower held_out in the recipe",
        )
    return Rows(examples, +left_out)


def describe(left_out: Mapping[str, int]) -> str:
    """Return the reasons with their numbers, most frequent first."""
    return ", ".join(f"{count:,} {reason}" for reason, count in Counter(left_out).most_common()) or "nothing"


def _read_table(dataset: Location, version: int | None, where: str) -> list[Example]:
    names = (field.name for field in fields(Example))
    return [Example(**row) for row in Dataset.open(dataset, version).rows.columns(*names, where=where)]


def assign_split(row: dict[str, Any], held_out: HeldOut) -> str:
    """Return the split of a row. A row that the dataset itself holds out stays held out."""
    if row["split"] != TRAIN:
        return CLUSTER
    if row["topic"] and _hash_fraction(f"{row['subject']}/{row['topic']}") < held_out.topics:
        return TOPIC
    position = _hash_fraction(cluster_key(row["problem"]))
    if position < held_out.clusters:
        return CLUSTER
    return VALIDATION if position < held_out.clusters + held_out.validation else TRAIN


def cluster_key(problem: str) -> str:
    """Return a key that problems share when they differ only in their numbers."""
    return re.sub(r"\d+([.,]\d+)*", "#", normal_form(problem))


def _hash_fraction(text: str) -> float:
    """Hash a text to a number in [0, 1), uniformly."""
    return int.from_bytes(hashlib.sha256(f"held out/{text}".encode()).digest()[:6]) / 2**48


def render_prompt(recipe: Recipe, example: Example, tokenizer: PreTrainedTokenizerBase | None = None) -> list[Message]:
    """Return the question. No part of the problem can become a control token, of this tokenizer in particular."""
    return [{"role": "user", "content": recipe.render_prompt(_plain(example.problem, tokenizer))}]


def render_completion(example: Example, tokenizer: PreTrainedTokenizerBase | None = None) -> list[Message]:
    """Return the target: the thinking inline in its tags, which every chat template keeps or rearranges."""
    reasoning, solution = (_plain(text.strip(), tokenizer) for text in (example.reasoning, example.solution))
    text = f"<think>\n{reasoning}\n</think>\n\n{solution}"
    return [{"role": "assistant", "content": text}]


def _plain(text: str, tokenizer: PreTrainedTokenizerBase | None) -> str:
    """Break up control tokens by a space: chat templates tokenize them wherever they are (transformers#29279)."""
    text = break_tokens(text)
    for token in tokenizer.all_special_tokens if tokenizer else ():
        if len(token) > 1 and not token.isspace():
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


@dataclass(frozen=True, slots=True)
class MeasuredRows:
    """Rows that fit, and statistics of those left out. Lengths in tokens, difficulty from 0 to 1."""

    rows: list[dict[str, Any]]
    """TRL's conversational prompt-completion form."""
    tokens: int
    longest: int
    too_long: int
    difficulty: float | None
    """Mean over the rows that fit; None when unknown."""
    difficulty_too_long: float | None

    def summary(self) -> dict[str, Any]:
        """Return all fields except the rows, with their number."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "rows"} | {"rows": len(self.rows)}


def measure(examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> MeasuredRows:
    """Render and measure every row. Raises Refusal when tokenizer or chat template lose text."""
    kept: list[tuple[Example, dict[str, Any], int]] = []
    too_long: list[Example] = []
    for at, example in enumerate(examples):
        row = {
            "prompt": render_prompt(recipe, example, tokenizer),
            "completion": render_completion(example, tokenizer),
        }
        ids = _tokenize(tokenizer, row["prompt"] + row["completion"])
        if at == 0:
            check_round_trip(tokenizer, ids, example)
        if len(ids) <= recipe.max_length:
            kept.append((example, row, len(ids)))
        else:
            too_long.append(example)
    return MeasuredRows(
        rows=[row for _, row, _ in kept],
        tokens=sum(length for _, _, length in kept),
        longest=max((length for _, _, length in kept), default=0),
        too_long=len(too_long),
        difficulty=_mean(example.difficulty for example, _, _ in kept),
        difficulty_too_long=_mean(example.difficulty for example in too_long),
    )


def check_round_trip(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], example: Example) -> None:
    """Raise Refusal when decoding loses the thinking or the solution."""
    text = tokenizer.decode(ids)
    for what, part in (("thinking", example.reasoning), ("solution", example.solution)):
        if _without_spaces(part) not in _without_spaces(text):
            raise Refusal(
                f"the tokenizer and its chat template lose the {what} of row {example.id}",
                "Use another base model, or a chat template that keeps the thinking of the last turn",
            )


def _tokenize(tokenizer: PreTrainedTokenizerBase, messages: list[Message]) -> list[int]:
    if tokenizer.chat_template is None:
        raise Refusal("the tokenizer of the base model has no chat template", "Use a base model that has one")
    ids: list[int] = tokenizer.apply_chat_template(messages, return_dict=False)
    return ids


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
