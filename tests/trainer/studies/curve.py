"""`make train-curve`: what errors of verification cost a model, on the tiny world, with three training seeds.

Of 1,200 drafts 40 % have a wrong trace. A verifier accepts a fraction of the wrong ones (false accepts) and rejects a
fraction of the right ones (false rejects); SFT trains on what is left. All points have the same drafts, so a rejected
draft costs rows, as it does in the factory; all arms train for the same number of steps. One more arm has drafts that
nobody verified, as many as are left without errors.
"""

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from shared.dataset import Row
from tests.trainer import clock
from trainer.data import assign_split
from trainer.example import CLUSTER, TRAIN, Example
from trainer.metrics.grading import grade_problems
from trainer.metrics.passk import Estimate, estimate, estimate_paired
from trainer.models.sampler import open_model
from trainer.phases import sft
from trainer.phases.compare import Arm
from trainer.recipe import HeldOut, Recipe
from trainer.run.log import log_line

DRAFTS, WRONG, SEEDS = 1200, 0.4, 3
RATES = (0.0, 0.2, 0.4)
STEPS = range(3, 6)
EXAM = 100
HELD_OUT = HeldOut(topics=0, clusters=0.1, validation=0)
MEASURED = {"samples": 8, "ks": [1], "max_tokens": 60, "batch": 800, "problems": EXAM}
SFT = {**clock.TAUGHT, "checkpoint_steps": 1000, "trl": {"max_steps": 130}}
"""The same number of steps for every arm: with epochs, an arm with more rows would also train longer."""


@dataclass(frozen=True, slots=True)
class Point:
    """Error rates of a verifier."""

    false_accepts: float
    false_rejects: float

    @property
    def name(self) -> str:
        return f"accepts-{self.false_accepts:g}-rejects-{self.false_rejects:g}"


POINTS = [*(Point(rate, 0.0) for rate in RATES), *(Point(0.0, rate) for rate in RATES[1:])]
UNVERIFIED = Point(1.0, 0.0)


def main(folder: Path) -> None:
    """Train and measure every point that the folder lacks; write curve.json and the figure."""
    newborn = folder / "base" / "run" / "sft" / "model"
    base = str(newborn) if (folder / "base" / "run" / "sft.json").exists() else clock.base(folder / "base")
    exam = [to_example(row, CLUSTER) for row in clock.rows(1500, STEPS, seed=7, start=100_000)]
    exam = [one for one in exam if assign_split(asdict(one) | {"split": TRAIN}, HELD_OUT) == CLUSTER][:EXAM]
    rates: dict[str, list[list[float]]] = {"base": [measure(folder, base, "base", base, exam, 0)]}
    sizes: dict[str, list[int]] = {}
    for seed in range(SEEDS):
        for name, rows in arms(seed):
            trained = train(folder, base, f"{name}-seed-{seed}", rows, seed)
            sizes.setdefault(name, []).append(len(rows))
            rates.setdefault(name, []).append(measure(folder, base, f"{name}-seed-{seed}", trained, exam, seed))
    found = {name: describe(name, its, rates["base"], sizes.get(name, [0]), exam) for name, its in rates.items()}
    (folder / "curve.json").write_text(json.dumps(found, indent=2) + "\n")
    draw(found, folder)
    print_table(found)


def arms(seed: int) -> Iterator[tuple[str, list[Example]]]:
    """Yield the training rows of every arm."""
    dice = random.Random(f"verifier {seed}")
    right = clock.rows(DRAFTS, STEPS, seed=100 + seed, start=1)
    wrong = clock.rows(DRAFTS, STEPS, seed=100 + seed, start=1, muddled=1.0)
    drafts = [(dice.random() < WRONG, dice.random(), *pair) for pair in zip(right, wrong, strict=True)]
    for point in POINTS:
        yield point.name, list(admitted(drafts, point))
    size = len(list(admitted(drafts, Point(0.0, 0.0))))
    yield "unverified", list(admitted(drafts, UNVERIFIED))[:size]


def admitted(drafts: list[tuple[bool, float, Row, Row]], point: Point) -> Iterator[Example]:
    """Yield the rows that the verifier accepts and no exam holds."""
    for is_wrong, draw, right, wrong in drafts:
        row = wrong if is_wrong else right
        if assign_split(asdict(right), HELD_OUT) != TRAIN:
            continue
        if draw < point.false_accepts if is_wrong else draw >= point.false_rejects:
            yield to_example(row, TRAIN)


def to_example(row: Row, split: str) -> Example:
    values: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(Example)}
    return Example(**{**values, "views": list(row.views), "split": split})


def recipe(base: str, seed: int) -> Recipe:
    return Recipe.model_validate(
        {**clock.RECIPE, "base": base, "seed": seed, "sft": SFT, "rl": None, "evaluate": MEASURED}
    )


def train(folder: Path, base: str, name: str, rows: list[Example], seed: int) -> str:
    """Train an arm unless it is trained; return its model."""
    arm = Arm(folder / name, recipe(base, seed), folder, None, rows=tuple(rows))
    return str(arm.run_once("sft", sft.train)["model"])


def measure(folder: Path, base: str, name: str, model: str, exam: list[Example], seed: int) -> list[float]:
    """Return the fraction of right answers of each problem of the exam."""
    arm = Arm(folder / name, recipe(base, seed), folder, None, rows=tuple(exam))
    with open_model(arm, "sft", model, [(exam, arm.recipe.evaluate)]) as opened:
        sampler, samples = opened.sampler(arm.recipe.evaluate), arm.recipe.evaluate.samples
        graded = grade_problems(arm, sampler, exam, samples, arm.path("exam.jsonl"))
    return [one.right / one.samples for one in graded]


def describe(
    name: str, rates: list[list[float]], base: list[list[float]], rows: list[int], exam: list[Example]
) -> dict[str, Any]:
    topics = [one.topic for one in exam]
    gain: Estimate = estimate_paired(rates, base, clusters=topics)
    log_line(f"{name}: {100 * gain.value:+.1f} points")
    each = [sum(its) / len(its) for its in rates]
    return {
        "rows": sum(rows) / len(rows),
        "pass@1": asdict(estimate(rates, clusters=topics)),
        "gain": asdict(gain),
        "seeds": each,
    }


def draw(found: dict[str, Any], folder: Path) -> None:
    """Draw gain against both error rates, with bands."""
    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    axes = figure.subplots()
    lines = {
        "false accepts": ("#d62728", "o-", [Point(rate, 0.0).name for rate in RATES]),
        "false rejects": ("#1f77b4", "s-", [Point(0.0, rate).name for rate in RATES]),
    }
    for label, (colour, style, names) in lines.items():
        gains = [found[name]["gain"] for name in names]
        percent = [100 * rate for rate in RATES]
        axes.plot(percent, [100 * one["value"] for one in gains], style, color=colour, label=label)
        low, high = ([100 * one[side] for one in gains] for side in ("low", "high"))
        axes.fill_between(percent, low, high, color=colour, alpha=0.15)
    unverified = 100 * found["unverified"]["gain"]["value"]
    axes.axhline(unverified, color="#7f7f7f", ls="--", lw=1, label="not verified")
    axes.set(xlabel="errors of verification (%)", ylabel="gain in pass@1 over the base (points)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(ylim=(0, 100))
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    for end in ("png", "pdf"):
        figure.savefig(folder / f"train_curve.{end}", dpi=200)


def print_table(found: dict[str, Any]) -> None:
    log_line("| verification | rows | pass@1 | gain | by seed |\n|---|---|---|---|---|")
    for name, one in found.items():
        score, gain = (
            f"{100 * one[key]['value']:.1f} [{100 * one[key]['low']:.1f}, {100 * one[key]['high']:.1f}]"
            for key in ("pass@1", "gain")
        )
        seeds = ", ".join(f"{100 * value:.1f}" for value in one["seeds"])
        log_line(f"| {name} | {one['rows']:.0f} | {score} | {gain} | {seeds} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
