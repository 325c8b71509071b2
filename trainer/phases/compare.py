"""Which data trains the better model? Two arms, one recipe, equal tokens, one exam: `python -m trainer.compare --help`.

An arm is a dataset, or a part of one: a tier, a policy. The exam is the held-out rows of the first arm, the one whose
keys are believed; neither trains on a problem that differs from one of them in numbers only.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

from deltalake.exceptions import DeltaError

from shared.errors import Refusal
from trainer.data import HELD_OUT, TRAIN, VALIDATION, Example, cluster, measure, read
from trainer.metrics.grading import graded
from trainer.metrics.passk import Estimate, estimate, paired
from trainer.models import weights
from trainer.models.sampling import InProcess
from trainer.phases import rl, rl_set, sft
from trainer.phases.command import exit_on_signals, run_phase
from trainer.recipe import Recipe, load
from trainer.run.run_folder import Found, Run, locked, log_line

ONE, OTHER = ARMS = ("one", "other")


@dataclass(frozen=True)
class Arm(Run):
    """A run on given rows."""

    rows: tuple[Example, ...] = ()

    @cached_property
    def examples(self) -> list[Example]:
        return list(self.rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train both arms and ask every model the exam; what is done already is not done again."""
    given = _parser().parse_args(arguments)
    try:
        recipe = load(given.config)
        sides = {ONE: (given.one, given.one_where), OTHER: (given.other, given.other_where)}
        rows = {name: _read(data, where, recipe) for name, (data, where) in sides.items()}
        exam = Arm(given.run / "exam", recipe, given.one, None, given.models, rows=tuple(_exam(rows[ONE], recipe)))
        arms = {
            name: Arm(given.run / name, recipe, sides[name][0], None, given.models, rows=tuple(its))
            for name, its in at_equal_tokens(rows, exam.rows, recipe)
        }
    except Refusal as refusal:
        log_line(str(refusal))
        sys.exit(1)
    exit_on_signals()
    with locked(given.run):
        for arm in arms.values():
            _trained(arm)
        sys.exit(run_phase(exam, "exam", partial(sample_arms, arms=arms)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer.compare", description="Two datasets, or parts of one.")
    parser.add_argument("--config", type=Path, required=True, help="the recipe, such as trainer/configs/paper.yaml")
    parser.add_argument("--run", type=Path, required=True, help="folder of this comparison; go on by naming it again")
    parser.add_argument("--one", required=True, help="folder of the dataset whose keys are believed")
    parser.add_argument("--one-where", default="true", help="""only such rows, in SQL: "tier = 'verified'" """)
    parser.add_argument("--other", required=True, help="folder of the other dataset; it may be the same")
    parser.add_argument("--other-where", default="true", help="only such rows, in SQL")
    parser.add_argument("--models", type=Path, help="models file with a judge for answers that no rule can compare")
    return parser


def _read(data: Path, where: str, recipe: Recipe) -> list[Example]:
    try:
        return read(data, None, recipe.held_out, where)
    except DeltaError as error:
        first = str(error).splitlines()[0]
        raise Refusal(f"{where!r} is no condition on rows: {first}", "docs/dataset.md has the columns") from error


def _exam(rows: Sequence[Example], recipe: Recipe) -> list[Example]:
    exam = [row for row in rows if row.split in HELD_OUT][: recipe.evaluate.problems]
    if not exam:
        raise Refusal("no row of the first dataset is held out", "Grow it, or raise held_out in the recipe")
    return exam


def at_equal_tokens(
    rows: dict[str, list[Example]], exam: Sequence[Example], recipe: Recipe
) -> Iterator[tuple[str, list[Example]]]:
    """Rows to train on for each arm, by id, as many as the smaller one has tokens; validation rows beside them."""
    tokenizer = weights.tokenizer(recipe.base, recipe.revision)
    asked = {cluster(row.problem) for row in exam}
    fit = {
        name: [row for row in its if row.split == TRAIN and cluster(row.problem) not in asked]
        for name, its in rows.items()
    }
    sizes = {
        name: [measure([row], tokenizer, recipe).tokens if row.taught else 0 for row in its]
        for name, its in fit.items()
    }
    budget = min(map(sum, sizes.values()))
    checks = [row for row in rows[ONE] if row.split == VALIDATION]
    for name, its in fit.items():
        yield name, [*_within(budget, its, sizes[name]), *checks]


def _within(budget: int, rows: Sequence[Example], sizes: Sequence[int]) -> Iterator[Example]:
    for row, size in zip(rows, sizes, strict=True):
        budget -= size
        if budget < 0:
            return
        yield row


def _trained(arm: Arm) -> None:
    phases = {"sft": sft.train} | ({"rl_set": rl_set.select, "rl": rl.train} if arm.recipe.rl else {})
    log_line(f"arm {arm.folder.name}: {len(arm.rows)} rows")
    for phase, work in phases.items():
        if status := run_phase(arm, phase, work):
            sys.exit(status)


def sample_arms(run: Arm, arms: dict[str, Arm]) -> Found:
    """Ask every model the exam, and pair the answers problem by problem."""
    last = "rl" if run.recipe.rl else "sft"
    models = {"base": run.recipe.base} | {name: arm.needed(last)["model"] for name, arm in arms.items()}
    tokens = {name: arm.needed("sft")["train"]["tokens"] for name, arm in arms.items()}
    shares = {name: _shares(run, name, model) for name, model in models.items()}
    for name, its in shares.items():
        log_line(f"{name:5} {_describe(estimate(its))}, trained on {tokens.get(name, 0)} tokens")
    gain = paired(shares[ONE], shares[OTHER])
    log_line(
        f"one over other {_describe(gain)}"
        + ("" if gain.excludes_zero else ": no difference that so few problems can show")
    )
    return {
        "problems": len(run.rows),
        "tokens": tokens,
        "pass@1": {name: asdict(estimate(its)) for name, its in shares.items()},
        "gain": asdict(gain),
    }


def _shares(run: Arm, name: str, model: str) -> list[float]:
    """Share of right answers, problem by problem."""
    how = run.recipe.evaluate
    sampler = InProcess(weights.on_device(model), weights.tokenizer(model), run.recipe, how)
    found = graded(run, sampler, run.rows, how.samples, run.path(f"{name}.jsonl"))
    return [one.right / one.samples for one in found]


def _describe(found: Estimate) -> str:
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
