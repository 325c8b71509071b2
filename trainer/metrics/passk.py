"""Unbiased pass@k and how sure it is.

pass@k is the chance that at least one of k samples is right. From n samples of which c are right it is
1 − C(n−c, k) / C(n, k) (Chen et al., arXiv 2107.03374), averaged over problems; 1 − (1 − c/n)^k is biased low.
Intervals are percentile bootstraps over problems: samples of one problem are no independent evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

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
    """Chance that k samples drawn without return hold a right one. Raises ValueError unless 1 ≤ k ≤ samples."""
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} needs at least {k} samples a problem and k at least 1; there are {samples}")
    return 1 - comb(samples - right, k) / comb(samples, k)


def estimate(values: Sequence[float], seed: int = 0) -> Estimate:
    """Mean over problems of one value each. Raises ValueError when there is none."""
    if not values:
        raise ValueError("no problem to estimate from")
    low, high = np.quantile(_means(np.asarray(values, dtype=float), seed), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(float(np.mean(values)), float(low), float(high), len(values))


def paired(ones: Sequence[float], others: Sequence[float], seed: int = 0) -> Estimate:
    """Mean of `ones − others`, problem by problem: far tighter than the difference of two intervals."""
    return estimate([one - other for one, other in zip(ones, others, strict=True)], seed)


def shrunk(part: Sequence[float], whole: float, spread: float) -> float:
    """The mean of a small part, drawn towards the mean of the whole as far as chance may have moved it.

    `spread` is the variance of the true means between parts (empirical Bayes, Efron and Morris 1975); the fewer
    problems a part has, the less its own mean counts.
    """
    chance = whole * (1 - whole) / len(part)
    own = spread / (spread + chance) if spread + chance else 0.0
    return own * float(np.mean(part)) + (1 - own) * whole


def spread(parts: Sequence[Sequence[float]], whole: float) -> float:
    """Variance of the means of parts beyond what chance explains; 0 when chance explains all of it."""
    sizes = np.array([len(part) for part in parts])
    means = np.array([np.mean(part) for part in parts])
    seen = float(np.average((means - whole) ** 2, weights=sizes))
    return max(0.0, seen - float(np.average(whole * (1 - whole) / sizes, weights=sizes)))


def _means(values: np.ndarray, seed: int) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return np.array([values[dice.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)])
