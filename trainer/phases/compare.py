"""Compares datasets by training: one recipe, equal tokens, the same exam: `python -m trainer.compare --help`.

An arm is a dataset, or a part of one such as a tier. The exam is the held-out rows of the first arm, whose keys must be
the trusted ones; no arm trains on a problem that differs from an exam problem only in numbers. Every arm is trained
with several seeds, each on rows drawn for it: models of one recipe differ by more than an exam's sampling.

    ONE/ ONE-seed-1/ …   the run folder of each arm and seed      exam/   completions and result
"""

import argparse
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from itertools import combinations
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
from trainer.run import launcher
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run, lock_folder
from trainer.stages import ARMS

ONE, OTHER, THIRD = ARMS
SEEDS = 3
PHASES = {"sft": sft.train, "rl_set": rl_set.select, "rl": rl.train}


@dataclass(frozen=True)
class Arm(Run):
    """A run on given rows."""

    rows: tuple[Example, ...] = ()

    @cached_property
    def examples(self) -> list[Example]:
        return list(self.rows)


Arms = Mapping[str, Sequence[Arm]]
"""The runs of each arm, one for each seed."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Train all arms and evaluate every model on the exam; finished phases are skipped."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    try:
        exam, arms = open_arms(options)
    except Refusal as refusal:
        log_line(str(refusal))
        sys.exit(1)
    exit_on_signals()
    if options.arm:  # one of the processes of a phase; the process that started it holds the lock
        (arm,) = (arm for its in arms.values() for arm in its if arm.folder.name == options.arm)
        sys.exit(run_phase(arm, options.phase, PHASES[options.phase]))
    with lock_folder(options.run):
        for its in arms.values():
            for arm in its:
                _train_arm(arm, given)
        sys.exit(run_phase(exam, "exam", partial(sample_arms, arms=arms)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer.compare", description="Compare datasets, or parts of one.")
    parser.add_argument("--config", type=Path, required=True, help="the recipe, such as trainer/configs/paper.yaml")
    parser.add_argument("--run", type=Path, required=True, help="folder of this comparison; name it again to resume")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"models of each arm; default: {SEEDS}")
    parser.add_argument("--one", required=True, help="the dataset whose keys are trusted")
    parser.add_argument("--one-where", default="true", help="""condition on its rows, in SQL: "tier = 'verified'" """)
    parser.add_argument("--other", required=True, help="the other dataset; it may be the same")
    parser.add_argument("--other-where", default="true", help="condition on its rows, in SQL")
    parser.add_argument("--third", help="a third dataset, such as one that nobody verified")
    parser.add_argument("--third-where", default="true", help="condition on its rows, in SQL")
    parser.add_argument("--models", type=Path, help="models file with a judge for answers that no rule can compare")
    parser.add_argument("--served", type=Path, help="file that maps base and arms to endpoints for the exam; one seed")
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    return parser


def open_arms(options: argparse.Namespace) -> tuple[Arm, Arms]:
    """Return the exam, and the runs of each arm. Raises Refusal where there is nothing to train on or to measure."""
    recipe, folder = load_recipe(options.config), options.run
    if options.served and options.seeds > 1:
        raise Refusal("--served names one model for each arm", "Set --seeds 1, or sample.engine in the recipe")
    sides = {ONE: (options.one, options.one_where), OTHER: (options.other, options.other_where)}
    if options.third:
        sides[THIRD] = (options.third, options.third_where)
    rows = {name: _read(data, where, recipe) for name, (data, where) in sides.items()}
    places = {"models": options.models, "served": options.served}
    exam = Arm(folder / "exam", recipe, options.one, None, **places, rows=tuple(_exam(rows[ONE], recipe)))
    arms: dict[str, list[Arm]] = {name: [] for name in sides}
    for seed in range(options.seeds):
        seeded = recipe.model_copy(update={"seed": recipe.seed + seed})
        for name, its in select_equal_tokens(rows, exam.rows, recipe, seed):
            place = folder / (f"{name}-seed-{seed}" if seed else name)
            arms[name].append(Arm(place, seeded, sides[name][0], None, options.models, rows=tuple(its)))
    return exam, arms


def _read(data: Path, where: str, recipe: Recipe) -> list[Example]:
    try:
        return read_rows(data, None, recipe.held_out, where).examples
    except DeltaError as error:
        first = str(error).splitlines()[0]
        raise Refusal(f"invalid condition on rows, {where!r}: {first}", "docs/how-to/dataset.md has them") from error


def _exam(rows: Sequence[Example], recipe: Recipe) -> list[Example]:
    exam = [row for row in rows if row.split in HELD_OUT][: recipe.evaluate.problems]
    if not exam:
        raise Refusal("no row of the first dataset is held out", "Grow it, or raise held_out in the recipe")
    return exam


def select_equal_tokens(
    rows: Mapping[str, Sequence[Example]], exam: Sequence[Example], recipe: Recipe, seed: int = 0
) -> Iterator[tuple[str, list[Example]]]:
    """Yield each arm with its training rows, up to the tokens of the smallest arm, and the validation rows.

    Seed 0 takes the rows in the order of their ids, every other seed in an order of its own.
    """
    tokenizer = weights.load_tokenizer(recipe.base, recipe.revision)
    exam_clusters = {cluster_key(row.problem) for row in exam}
    usable = {
        name: _shuffle(
            [row for row in its if row.split == TRAIN and cluster_key(row.problem) not in exam_clusters], seed
        )
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


def _shuffle(rows: list[Example], seed: int) -> list[Example]:
    return random.Random(seed).sample(rows, len(rows)) if seed else rows  # noqa: S311 - an order, no secret


def _take_tokens(budget: int, rows: Sequence[Example], sizes: Sequence[int]) -> Iterator[Example]:
    for row, size in zip(rows, sizes, strict=True):
        budget -= size
        if budget < 0:
            return
        yield row


def _train_arm(arm: Arm, arguments: Sequence[str]) -> None:
    log_line(f"arm {arm.folder.name}: {len(arm.rows)} rows")
    for phase in PHASES if arm.recipe.rl else ("sft",):
        if launcher.needs_launcher(arm.recipe, phase):
            of_arm = [*arguments, "--arm", arm.folder.name, "--phase", phase]
            status = 0 if arm.result(phase) else launcher.launch(arm, "trainer.compare", phase, of_arm)
        else:
            status = run_phase(arm, phase, PHASES[phase])
        if status:
            sys.exit(status)


def sample_arms(run: Arm, arms: Arms) -> PhaseResult:
    """Evaluate every model on the exam; gains are paired by problem, and resampled by topic and seed."""
    last = "rl" if run.recipe.rl else "sft"
    tokens = {name: its[0].require_result("sft")["train"]["tokens"] for name, its in arms.items()}
    rates = {"base": [_measure_pass_rates(run, "base", "base", run.recipe.base)]}
    for name, its in arms.items():
        models = {arm.folder.name: arm.require_result(last)["model"] for arm in its}
        rates[name] = [_measure_pass_rates(run, name, folder, model) for folder, model in models.items()]
    topics = [row.topic or row.id for row in run.rows]
    scores = {name: estimate(its, clusters=topics) for name, its in rates.items()}
    gains = {
        f"{one} over {other}": estimate_paired(rates[one], rates[other], clusters=topics)
        for one, other in combinations(arms, 2)
    }
    for name, score in scores.items():
        log_line(f"{name:5} {_describe(score)}, trained on {tokens.get(name, 0)} tokens, {len(rates[name])} seeds")
    for pair, gain in gains.items():
        note = "" if gain.excludes_zero else ": not a significant difference with this number of problems and seeds"
        log_line(f"{pair} {_describe(gain)}{note}")
    return {
        "problems": len(run.rows),
        "tokens": tokens,
        "seeds": {name: [sum(its) / len(its) for its in rows] for name, rows in rates.items()},
        "pass@1": {name: asdict(score) for name, score in scores.items()},
        "gain": asdict(gains[f"{ONE} over {OTHER}"]),
        "gains": {pair: asdict(gain) for pair, gain in gains.items()},
    }


def _measure_pass_rates(run: Arm, stage: str, folder: str, model: str) -> list[float]:
    """Return the fraction of right answers of each problem. Files of completions are named by the run of the arm."""
    evaluation = run.recipe.evaluate
    with open_model(run, stage, model, [(run.rows, evaluation)]) as opened:
        file = run.path(f"{opened.name.replace(stage, folder, 1)}.jsonl")
        found = grade_problems(run, opened.sampler(evaluation), run.rows, evaluation.samples, file)
    return [one.right / one.samples for one in found]


def _describe(found: Estimate) -> str:
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
