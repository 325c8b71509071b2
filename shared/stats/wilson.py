"""What a count says about a rate: Wilson's interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).

It holds for few trials and for rates near 0 and 1, where an estimate plus or minus its error does not.
"""

from math import ceil, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z2 = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """The 95 % interval of a rate of which `hits` of `trials` were seen; (0, 1) when there were none."""
    if not trials:
        return 0.0, 1.0
    rate, v = hits / trials, _Z2 / trials
    middle, half = (rate + v / 2) / (1 + v), sqrt(v * (rate * (1 - rate) + v / 4)) / (1 + v)
    return max(0.0, middle - half), min(1.0, middle + half)


def needed(rate: float, width: float) -> int:
    """The fewest trials after which the interval is no wider than `width`, in (0, 1), if the rate stays as it is.

    Wilson's width set equal to `width` is a quadratic equation for z²/n.
    """
    w2 = width**2
    b = 4 * rate * (1 - rate) - 2 * w2
    return ceil(_Z2 * (b + sqrt(b**2 + 4 * w2 * (1 - w2))) / (2 * w2))
