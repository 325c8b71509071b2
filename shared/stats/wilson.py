"""Wilson's confidence interval of a rate (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).

Unlike the normal approximation it holds for few trials and for rates near 0 and 1.
"""

from math import ceil, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z2 = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """The 95 % interval of the rate hits / trials; (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    rate, v = hits / trials, _Z2 / trials
    middle, half = (rate + v / 2) / (1 + v), sqrt(v * (rate * (1 - rate) + v / 4)) / (1 + v)
    return max(0.0, middle - half), min(1.0, middle + half)


def needed(rate: float, width: float) -> int:
    """The fewest trials for an interval no wider than `width`, in (0, 1), at this rate.

    Setting Wilson's width equal to `width` gives a quadratic equation for z²/n.
    """
    w2 = width**2
    b = 4 * rate * (1 - rate) - 2 * w2
    return ceil(_Z2 * (b + sqrt(b**2 + 4 * w2 * (1 - w2))) / (2 * w2))
