"""Belief with estimated parameters, on a grid of hard worlds.

A run: 3,000 problems; the defaults at first, estimated anew after every 500; judged on the last 2,000. It passes if the
share of wrong keys is at most the target, half a point and two binomial standard errors, and if it keeps at least 80 %
of the hard problems that a policy keeps which knows the true parameters and has the same caution: its thresholds come
from the same upper ends.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import product
from math import sqrt
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.stats.belief import belief
from shared.stats.belief_estimation import ASSUMED, Estimate, estimate, wrong_share
from shared.stats.belief_model import JudgeRates, Parameters
from shared.stats.ledger import Audits, Observation, Proportion
from tests.bench.belief.hard_policies import ByBelief, Outcome, Verified, outcome
from tests.bench.belief.hard_world import Case, World, cases
from tests.bench.belief.vote_tree import sequential_tree
from tests.bench.belief.votes_only import Forecast, Rule

GRID = tuple(World(*each) for each in product((0.05, 0.1, 0.2, 0.4), (0.0, 0.3, 0.6), (0.0, 0.3, 0.5, 0.7)))
FOUR = (World(0.1, 0.3, 0.5), World(0.05, 0.0, 0.3), World(0.2, 0.6, 0.7), World(0.4, 0.3, 0.0))
"""Cells for a first look: a usual one, an easy one, a hard one, one where no target can be met."""
PROBLEMS, EVERY, JUDGED, AUDITS, TARGET = 3000, 500, 2000, 200, 0.02
MARGIN, KEPT, BANDS = 0.005, 0.8, 10
RULE = Rule()


@dataclass(frozen=True, slots=True)
class Run:
    """How one run ended."""

    learning: Outcome
    cautious: Outcome
    """With the true parameters, and thresholds from the upper ends of the intervals that this run had."""
    truth: Outcome
    """With the true parameters and their thresholds."""
    last: Estimate
    can_meet: bool
    """Whether the last estimate sees a threshold that meets the target."""
    covered: bool
    """Whether the interval of the share of wrong keys holds the true share."""
    bands: tuple[tuple[int, float, int], ...]
    """By band of belief: items, sum of beliefs, right keys."""

    @property
    def wrong_ok(self) -> bool:
        return self.learning.wrong_keys <= TARGET + MARGIN + 2 * sqrt(
            TARGET * (1 - TARGET) / max(self.learning.accepted, 1)
        )

    @property
    def kept_ok(self) -> bool:
        return self.learning.hard_kept >= KEPT * self.cautious.hard_kept

    @property
    def passes(self) -> bool:
        return self.wrong_ok and self.kept_ok


def policy(parameters: Parameters, cautious: Parameters) -> ByBelief:
    """With the threshold that these parameters ask for."""
    threshold = Forecast(sequential_tree(RULE.max_votes), RULE, parameters, cautious).threshold(TARGET)
    return ByBelief(parameters, threshold, RULE)


def run(world: World, seed: int) -> Run:
    """One run in this world."""
    drawn, rng = cases(world, PROBLEMS, RULE.max_votes, f"{world} {seed}"), Random(f"audits {world} {seed}")
    caught = sum(rng.random() < world.catch for _ in range(2 * AUDITS))
    audits = Audits({"nothing": Proportion(caught, 2 * AUDITS)}, {})
    true = Parameters(wrong_keys=world.wrong_keys, judge=JudgeRates(world.catch))
    true = true.with_(error_agreement=world.error_agreement)
    verify, compared = policy(ASSUMED, ASSUMED), policy(true, ASSUMED)
    ends, cautious, observed = list[Verified](), list[Verified](), Counter[Observation]()
    for start in range(0, PROBLEMS, EVERY):
        block = drawn[start : start + EVERY]
        part = list(map(verify, block))
        ends += part
        cautious += map(compared, block)
        observed.update(Observation(end.evidence) for end in part)
        now = estimate(observed, audits)
        verify, compared = policy(now.parameters, now.cautious), policy(true, now.cautious)
    last, judged_ends = drawn[-JUDGED:], ends[-JUDGED:]
    return Run(
        learning=outcome(last, judged_ends),
        cautious=outcome(last, cautious[-JUDGED:]),
        truth=outcome(last, list(map(policy(true, true), last))),
        last=now,
        can_meet=verify.threshold is not None,
        covered=_covered(now, drawn, ends),
        bands=_bands(now.parameters, last, judged_ends),
    )


def _covered(now: Estimate, drawn: Sequence[Case], ends: Sequence[Verified]) -> bool:
    accepted = [(case, end) for case, end in zip(drawn, ends, strict=True) if end.accepted]
    share = wrong_share(now, Counter(Observation(end.evidence) for _, end in accepted))
    wrong = sum(not case.right for case, _ in accepted) / max(len(accepted), 1)
    return share.low95 <= wrong <= share.high95


def _bands(
    parameters: Parameters, last: Sequence[Case], ends: Sequence[Verified]
) -> tuple[tuple[int, float, int], ...]:
    bands = [[0, 0.0, 0] for _ in range(BANDS)]
    beliefs = {evidence: belief(evidence, parameters).key for evidence in {end.evidence for end in ends}}
    for case, end in zip(last, ends, strict=True):
        believed = beliefs[end.evidence]
        band = bands[min(int(believed * BANDS), BANDS - 1)]
        band[0], band[1], band[2] = band[0] + 1, band[1] + believed, band[2] + case.right
    return tuple((int(count), total, int(right)) for count, total, right in bands)


@dataclass(frozen=True, slots=True)
class Cell:
    """A world, and all its runs."""

    world: World
    runs: tuple[Run, ...] = field(repr=False)

    def figures(self) -> dict[str, Any]:
        """As a document; shares are means over the runs."""

        def mean(values: Iterable[float]) -> float:
            return sum(values) / len(self.runs)

        truth = mean(each.truth.hard_kept for each in self.runs)
        hard = mean(each.learning.hard_kept for each in self.runs)
        return {
            "wrong_keys": self.world.wrong_keys,
            "error_agreement": self.world.error_agreement,
            "catch": self.world.catch,
            "good_kept": mean(each.learning.good_kept for each in self.runs),
            "hard_kept": hard,
            "hard_of_true_parameters": hard / truth if truth else None,
            "problems_needed": problems_needed(self.world, self.runs[-1].last) if hard < KEPT * truth else None,
            "wrong_rows": mean(each.learning.wrong_keys for each in self.runs),
            "calls_per_problem": mean(each.learning.calls_per_problem for each in self.runs),
            "can_meet": mean(each.can_meet for each in self.runs),
            "covered": mean(each.covered for each in self.runs),
            "wrong_ok": mean(each.wrong_ok for each in self.runs),
            "passes": mean(each.passes for each in self.runs),
        }


def problems_needed(world: World, last: Estimate) -> int | None:
    """After how many problems and audits the intervals are so narrow that the hard ones kept are those of the truth.

    Intervals shrink with the square root of what was counted. `None`: more than 256 times as many.
    """
    true = Parameters(wrong_keys=world.wrong_keys, judge=JudgeRates(world.catch))
    true = true.with_(error_agreement=world.error_agreement)
    drawn = cases(world, PROBLEMS, RULE.max_votes, f"needed {world}")
    kept = outcome(drawn, list(map(policy(true, true), drawn))).hard_kept
    for power in range(9):
        cautious = _narrower(true, last, 2 ** (-power / 2))
        if outcome(drawn, list(map(policy(true, cautious), drawn))).hard_kept >= KEPT * kept:
            return int(PROBLEMS * 2**power)
    return None


def _narrower(true: Parameters, last: Estimate, factor: float) -> Parameters:
    """The truth, with the caution of this estimate made smaller."""
    mean, cautious = last.parameters, last.cautious
    return replace(
        true,
        wrong_keys=true.wrong_keys + factor * (cautious.wrong_keys - mean.wrong_keys),
        judge=JudgeRates(max(0.0, true.judge.catch + factor * (cautious.judge.catch - mean.judge.catch))),
        solving=true.solving._replace(
            error_agreement=true.solving.error_agreement
            + factor * (cautious.solving.error_agreement - mean.solving.error_agreement)
        ),
    )


def measure(worlds: Sequence[World], runs: int, processes: int) -> dict[str, Any]:
    """Every cell, and over all of them calibration by band of belief."""
    jobs = [(world, seed) for world in worlds for seed in range(runs)]
    with ProcessPoolExecutor(processes) as pool:
        done = list(pool.map(run, *zip(*jobs, strict=True), chunksize=max(1, runs // 2)))
    cells = [Cell(world, tuple(done[at * runs : (at + 1) * runs])) for at, world in enumerate(worlds)]
    pooled = [tuple(map(sum, zip(*(each.bands[band] for each in done), strict=True))) for band in range(BANDS)]
    return {
        "runs": len(done),
        "passed": sum(each.passes for each in done) / len(done),
        "covered": sum(each.covered for each in done) / len(done),
        "cells": [cell.figures() for cell in cells],
        "calibration": [
            {"from": band / BANDS, "items": count, "belief": total / count, "right": right / count}
            for band, (count, total, right) in enumerate(pooled)
            if count
        ],
    }


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print as tables."""
    table = Table(
        "w", "ρ", "d", "good", "hard", "of true", "wrong", "calls", "can meet", "covers", "passed",
        title=f"belief that learns: target {TARGET:.0%}, {figures['runs']} runs",
        caption="good and hard: kept; of true: of the hard ones kept with true parameters; can meet: the target; "
        "covers: the interval of the share of wrong keys holds the truth",
    )  # fmt: skip
    for row in figures["cells"]:
        of_true = row["hard_of_true_parameters"]
        table.add_row(
            *(f"{row[name]:.2f}" for name in ("wrong_keys", "error_agreement", "catch")),
            *(f"{row[name]:.0%}" for name in ("good_kept", "hard_kept")),
            "" if of_true is None else f"{of_true:.0%}",
            f"{row['wrong_rows']:.2%}",
            f"{row['calls_per_problem']:.1f}",
            *(f"{row[name]:.0%}" for name in ("can_meet", "covered", "passes")),
        )
    console.print(table)
    bands = Table("belief from", "items", "mean belief", "right keys", title="calibration, all runs")
    for row in figures["calibration"]:
        bands.add_row(f"{row['from']:.1f}", str(row["items"]), f"{row['belief']:.1%}", f"{row['right']:.1%}")
    console.print(bands)
    for row in figures["cells"]:
        if row["hard_of_true_parameters"] and row["hard_of_true_parameters"] < KEPT:
            cell = f"w {row['wrong_keys']}, ρ {row['error_agreement']}, d {row['catch']}"
            console.print(
                f"lost to uncertainty at {cell}: problems needed: {row['problems_needed'] or 'more than 768,000'}"
            )
    console.print(f"runs passed {figures['passed']:.1%}; intervals that hold the true share {figures['covered']:.1%}")
