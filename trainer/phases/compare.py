"""Compares two datasets by training: one recipe, equal tokens, the same exam: `python -m trainer.compare --help`.

An arm is a dataset, or a part of one such as a tier. The exam is the held-out rows of the first arm, whose keys must be
the trusted ones; neither arm trains on a problem that differs from an exam problem only in numbers.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

from deltalake.exceptions import DeltaError

from shared.errors import Refusal
from trainer.data import cluster_key, measure, read_rows
from trainer.example import HELD_OUT, TRAIN, VALIDATION, Example
from trainer.metrics.grading import grade_problems
from trainer.metrics.passk import Estimate, estimate, estimate_paired
from trainer.models import weights
from trainer.models.sampler import open_model
from trainer.phases import rl, rl_set, sft
from trainer.phases.command import exit_on_signals, run_phase
from trainer.recipe import Recipe, load_recipe
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run, lock_folder

ONE, OTHER = ARMS = ("one", "other")


@dataclass(frozen=True)
class Arm(Run):
    """A run on given rows."""

    rows: tuple[Example, ...] = ()

    @cached_property
    def examples(self) -> list[Example]:
        return list(self.rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train both arms and evaluate every model on the exam; finished phases are skipped."""
    options = _parser().parse_args(arguments)
    try:
        recipe = load_recipe(options.config)
        sides = {ONE: (options.one, options.one_where), OTHER: (options.other, options.other_where)}
        rows = {name: _read(data, where, recipe) for name, (data, where) in sides.items()}
        places = {"models": options.models, "served": options.served}
        exam = Arm(options.run / "exam", recipe, options.one, None, **places, rows=tuple(_exam(rows[ONE], recipe)))
        arms = {
            name: Arm(options.run / name, recipe, sides[name][0], None, options.models, rows=tuple(its))
            for name, its in select_equal_tokens(rows, exam.rows, recipe)
        }
    except Refusal as refusal:
        log_line(str(refusal))
        sys.exit(1)
    exit_on_signals()
    with lock_folder(options.run):
        for arm in arms.values():
            _train_arm(arm)
        sys.exit(run_phase(exam, "exam", partial(sample_arms, arms=arms)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer.compare", description="Compare two datasets, or parts of one."
    )
    parser.add_argument("--config", type=Path, required=True, help="the recipe, such as trainer/configs/paper.yaml")
    parser.add_argument("--run", type=Path, required=True, help="folder of this comparison; name it again to resume")
    parser.add_argument("--one", required=True, help="the dataset whose keys are trusted")
    parser.add_argument("--one-where", default="true", help="""condition on its rows, in SQL: "tier = 'verified'" """)
    parser.add_argument("--other", required=True, help="the other dataset; it may be the same")
    parser.add_argument("--other-where", default="true", help="condition on its rows, in SQL")
    parser.add_argument("--models", type=Path, help="models file with a judge for answers that no rule can compare")
    parser.add_argument("--served", type=Path, help="file that maps base, one and other to endpoints for the exam")
    return parser


def _read(data: Path, where: str, recipe: Recipe) -> list[Example]:
    try:
        return read_rows(data, None, recipe.held_out, where).examples
    except DeltaError as error:
        first = str(error).splitlines()[0]
        raise Refusal(f"invalid condition on rows, {where!r}: {first}", "docs/dataset.md lists the columns") from error


def _exam(rows: Sequence[Example], recipe: Recipe) -> list[Example]:
    exam = [row for row in rows if row.split in HELD_OUT][: recipe.evaluate.problems]
    if not exam:
        raise Refusal("no row of the first dataset is held out", "Grow it, or raise held_out in the recipe")
    return exam


def select_equal_tokens(
    rows: dict[str, list[Example]], exam: Sequence[Example], recipe: Recipe
) -> Iterator[tuple[str, list[Example]]]:
    """Yield each arm with its training rows by id, up to the tokens of the smaller arm, and the validation rows."""
    tokenizer = weights.load_tokenizer(recipe.base, recipe.revision)
    exam_clusters = {cluster_key(row.problem) for row in exam}
    usable = {
        name: [row for row in its if row.split == TRAIN and cluster_key(row.problem) not in exam_clusters]
        for name, its in rows.items()
    }
    sizes = {
        name: [measure([row], tokenizer, recipe).tokens if row.is_for_sft else 0 for row in its]
        for name, its in usable.items()
    }
    budget = min(map(sum, sizes.values()))
    validation = [row for row in rows[ONE] if row.split == VALIDATION]
    for name, its in usable.items():
        yield name, [*_take_tokens(budget, its, sizes[name]), *validation]


def _take_tokens(budget: int, rows: Sequence[Example], sizes: Sequence[int]) -> Iterator[Example]:
    for row, size in zip(rows, sizes, strict=True):
        budget -= size
        if budget < 0:
            return
        yield row


def _train_arm(arm: Arm) -> None:
    phases = {"sft": sft.train} | ({"rl_set": rl_set.select, "rl": rl.train} if arm.recipe.rl else {})
    log_line(f"arm {arm.folder.name}: {len(arm.rows)} rows")
    for phase, work in phases.items():
        if status := run_phase(arm, phase, work):
            sys.exit(status)


def sample_arms(run: Arm, arms: dict[str, Arm]) -> PhaseResult:
    """Evaluate every model on the exam; the gain is paired by problem."""
    last = "rl" if run.recipe.rl else "sft"
    models = {"base": run.recipe.base} | {name: arm.require_result(last)["model"] for name, arm in arms.items()}
    tokens = {name: arm.require_result("sft")["train"]["tokens"] for name, arm in arms.items()}
    rates = {name: _measure_pass_rates(run, name, model) for name, model in models.items()}
    for name, its in rates.items():
        log_line(f"{name:5} {_describe(estimate(its))}, trained on {tokens.get(name, 0)} tokens")
    gain = estimate_paired(rates[ONE], rates[OTHER])
    log_line(
        f"one over other {_describe(gain)}"
        + ("" if gain.excludes_zero else ": not a significant difference with this number of problems")
    )
    return {
        "problems": len(run.rows),
        "tokens": tokens,
        "pass@1": {name: asdict(estimate(its)) for name, its in rates.items()},
        "gain": asdict(gain),
    }


def _measure_pass_rates(run: Arm, name: str, model: str) -> list[float]:
    """Return the fraction of right answers of each problem."""
    evaluation = run.recipe.evaluate
    with open_model(run, name, model, [(run.rows, evaluation)]) as opened:
        file = run.path(f"{opened.name}.jsonl")
        found = grade_problems(run, opened.sampler(evaluation), run.rows, evaluation.samples, file)
    return [one.right / one.samples for one in found]


def _describe(found: Estimate) -> str:
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
