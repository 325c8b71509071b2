"""Unbiased pass@k with confidence intervals.

pass@k is the chance that at least one of k samples is right. From n samples of which c are right it is
1 − C(n−c, k) / C(n, k) (Chen et al., arXiv 2107.03374), averaged over problems; 1 − (1 − c/n)^k is biased low.
Intervals are percentile bootstraps: over problems, since samples of one problem are not independent; over topics where
they are given, since problems of one topic are alike; and over training seeds where there are several.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

Table = Sequence[Sequence[float]]
"""Values of each problem for each training seed."""
RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over problems with its 95 % interval."""

    value: float
    low: float
    high: float
    problems: int

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Return the probability that k samples drawn without replacement hold a right one. Needs 1 ≤ k ≤ samples."""
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} needs at least {k} samples a problem and k at least 1; there are {samples}")
    return 1 - comb(samples - right, k) / comb(samples, k)


def estimate(values: Sequence[float] | Table, seed: int = 0, clusters: Sequence[str] | None = None) -> Estimate:
    """Estimate the mean over problems. Raises ValueError when there are none.

    values    one for each problem, or a row of them for each training seed
    clusters  of each problem: they are resampled whole
    """
    table = np.atleast_2d(np.asarray(values, dtype=float))
    if not table.size:
        raise ValueError("no problem to estimate from")
    names = clusters or [str(at) for at in range(table.shape[1])]
    low, high = np.quantile(_bootstrap_means(table, names, seed), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(float(table.mean()), float(low), float(high), table.shape[1])


def estimate_paired(
    ones: Sequence[float] | Table, others: Sequence[float] | Table, seed: int = 0, clusters: Sequence[str] | None = None
) -> Estimate:
    """Estimate the mean of `ones − others` paired by problem; far tighter than the difference of two intervals.

    Both may have a row for each training seed, or one of them a single row.
    """
    first, second = (np.atleast_2d(np.asarray(values, dtype=float)) for values in (ones, others))
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"{first.shape[1]} problems cannot be paired with {second.shape[1]}")
    return estimate(first - second, seed, clusters)


def shrink(part: Sequence[float], whole: float, spread: float) -> float:
    """Shrink the mean of a part towards the mean of the whole.

    `spread` is the variance of the true means between parts (empirical Bayes, Efron and Morris 1975). The fewer
    problems a part has, the less its own mean counts.
    """
    chance = whole * (1 - whole) / len(part)
    own = spread / (spread + chance) if spread + chance else 0.0
    return own * float(np.mean(part)) + (1 - own) * whole


def estimate_spread(parts: Sequence[Sequence[float]], whole: float) -> float:
    """Estimate the variance of the parts' means beyond sampling noise; 0 when noise explains all of it."""
    sizes = np.array([len(part) for part in parts])
    means = np.array([np.mean(part) for part in parts])
    seen = float(np.average((means - whole) ** 2, weights=sizes))
    return max(0.0, seen - float(np.average(whole * (1 - whole) / sizes, weights=sizes)))


def _bootstrap_means(table: np.ndarray, clusters: Sequence[str], seed: int) -> np.ndarray:
    """Return means of resampled clusters and seeds."""
    rng, (seeds, _) = np.random.default_rng(seed), table.shape
    names, at = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(at)
    sums = np.stack([np.bincount(at, weights=row) for row in table])
    means = np.empty(RESAMPLES)
    for nth in range(RESAMPLES):
        drawn = rng.integers(0, len(names), len(names))
        of = rng.integers(0, seeds, seeds) if seeds > 1 else [0]
        means[nth] = sums[of][:, drawn].sum() / (seeds * sizes[drawn].sum())
    return means
