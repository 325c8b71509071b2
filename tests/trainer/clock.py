"""A tiny task, the clock of ten: a digit, then steps of + − × modulo ten, left to right. Every answer is exact.

The trace lists each step; the answer is the last three results, so that guessing rarely succeeds. A base model trained
on one and two steps knows format and facts, and must learn longer chains.
"""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import torch
import yaml
from transformers import Qwen3Config, Qwen3ForCausalLM

from shared.dataset import SCHEMA_VERSION, Dataset, Entry, Row, Table
from tests.trainer.tiny import tokenizer
from trainer.data import render_completion
from trainer.example import Example
from trainer.phases import sft
from trainer.recipe import Recipe
from trainer.run.run_folder import Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAUGHT = {"learning_rate": 1e-3, "batch": 32, "per_device": 32, "epochs": 4, "checkpoint_steps": 40}
RECIPE: dict[str, Any] = {
    "prompt": "$problem",
    "max_length": 120,
    "held_out": {"topics": 0.04, "clusters": 0.04, "validation": 0.04},
    "sft": TAUGHT,
    "rl_set": {"problems": 200},
    "rl": {"learning_rate": 1e-5, "completions": 32, "per_device": 32, "checkpoint_generations": 1},
    "evaluate": {"samples": 8, "ks": [1, 2, 4, 8], "max_tokens": 80, "batch": 256, "problems": 60},
}
"""A recipe that takes minutes on a CPU."""
SMALL: dict[str, dict[str, Any]] = {
    "sft": {"learning_rate": 1e-3, "batch": 16, "per_device": 16, "epochs": 2, "checkpoint_steps": 5},
    "rl_set": {"problems": 24, "plain": True},
    "rl": {"completions": 16, "per_device": 16, "rollouts": 4, "reuse": 2, "epochs": 1, "checkpoint_generations": 1},
    "evaluate": {"samples": 8, "ks": [1], "max_tokens": 40, "batch": 32, "problems": 16},
}
"""Changes to RECIPE for a one-minute training that runs every phase and learns nothing."""


def row(number: int, steps: int, dice: random.Random, *, muddled: bool = False, **changes: object) -> Row:
    """Make one row as the aggregator stores it. With `muddled` the trace adds where it should multiply."""
    now = dice.randrange(10)
    problem, lines, results = str(now), [], [now]
    for _ in range(steps):
        sign, by = dice.choice("+-*"), dice.randrange(1, 10)
        after = {"+": now + by, "-": now - by, "*": now + by if muddled else now * by}[sign] % 10
        lines.append(f"{now}{sign}{by}={after}")
        problem += f"{sign}{by}"
        now = after
        results.append(now)
    answer = "".join(map(str, results[-3:]))
    id_ = str(UUID(int=number))
    made = {
        "id": id_,
        "plan": "clock",
        "subject": "clocks",
        "field": "ten",
        "subfield": f"{steps} steps",
        "topic": f"clock {number % 50}",
        "problem": problem,
        "answer": answer,
        "answer_type": "number",
        "tier": "verified",
        "independent": True,
        "rationale": "",
        "fingerprint": problem,
        "tier_reason": None,
        "reasoning": " ".join(lines),
        "solution": f"\\boxed{{{answer}}}",
        "correct": True,
        "flaws": (),
        "solver": "a rule",
        "difficulty": steps / 10,
        "views": ("sft", "rl"),
        "admission": "in",
        "verdicts": "[]",
        "attempts": "[]",
        "lineage": "[]",
        "event": id_,
        "event_hash": "",
        "row_hash": f"{problem} {lines}",
        "curated_at": NOW,
        "schema_version": SCHEMA_VERSION,
        "kafka_topic": "",
        "kafka_incarnation": "",
        "kafka_partition": 0,
        "kafka_offset": number,
    }
    return Row(**{**made, **changes})  # type: ignore[arg-type]


def work_out(problem: str) -> tuple[list[str], str]:
    """Return the steps of a problem and its answer."""
    results, lines = [int(problem[0])], []
    for sign, by in zip(problem[1::2], map(int, problem[2::2]), strict=True):
        now = results[-1]
        results.append({"+": now + by, "-": now - by, "*": now * by}[sign] % 10)
        lines.append(f"{now}{sign}{by}={results[-1]}")
    return lines, "".join(map(str, results[-3:]))


def rows(count: int, steps: Iterable[int], seed: int, start: int = 0, muddled: float = 0.0) -> list[Row]:
    """Make `count` rows with distinct problems; `muddled` is the fraction with a wrong trace."""
    dice, seen, lengths = random.Random(seed), set[str](), list(steps)
    muddle = random.Random(f"{seed}, muddled")
    found: list[Row] = []
    while len(found) < count:
        made = row(start + len(found), dice.choice(lengths), dice, muddled=muddle.random() < muddled)
        if made.problem not in seen:
            seen.add(made.problem)
            found.append(made)
    return found


def grow(folder: Path, made: Iterable[Row]) -> int:
    """Append the rows that a dataset lacks; return its version. The ledger is empty."""
    table = Table(folder, Row, "clock")
    Table(folder, Entry, "clock")
    known = {line["id"] for line in Dataset.open(folder).rows.columns("id")}
    if lacking := [row for row in made if row.id not in known]:
        table.append(lacking, {}, {})
    return table.version


def newborn(folder: Path, words: str = "") -> Path:
    """Save a randomly initialised model, 3 layers of 128, with its tokenizer.

    Embeddings are not tied: tied ones make so small a model learn the 270 facts five times slower.
    """
    torch.manual_seed(0)
    tokens = tokenizer(words=words)
    config = Qwen3Config(
        vocab_size=len(tokens),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=32,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def base(folder: Path, words: str = "") -> str:
    """Train a model on problems of one and two steps, after some words; return its path."""
    grow(folder / "dataset", (replace(row, problem=words + row.problem) for row in rows(4000, (1, 2), seed=1)))
    taught = {**TAUGHT, "batch": 64, "per_device": 64, "epochs": 4, "checkpoint_steps": 1000}
    nothing = {"topics": 0, "clusters": 0, "validation": 0}
    recipe = {**RECIPE, "base": str(newborn(folder / "newborn", words)), "held_out": nothing, "sft": taught}
    run = Run(folder / "run", Recipe.model_validate(recipe), folder / "dataset", None)
    return str(run.run_once("sft", sft.train)["model"])


def recipe(folder: Path, base: str, **changes: Any) -> Path:
    """Write the recipe as a file."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, "base": base, **changes}))
    return path


def harder(muddled: float = 0.0) -> list[Row]:
    """Make rows of three to five steps."""
    return rows(1400, range(3, 6), seed=2, start=10_000, muddled=muddled)


def long_ones() -> list[Row]:
    """Make rows of six to ten steps. Every fifth has only a key: the teacher failed it."""
    made = rows(2400, range(6, 11), seed=3, start=20_000)
    return [replace(row, views=("rl",), correct=False) if at % 5 == 0 else row for at, row in enumerate(made)]


def every_step_right(example: Example, text: str) -> bool:
    """Return whether every step of a completion is right, not only its answer."""
    return text.strip() == render_completion(example)[0]["content"].strip()
