"""Differences, shares and costs as a report writes them."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, fmean, stdev

from shared.stats.wilson import CONFIDENCE

_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def mean_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the mean, and half of its 95 % interval by the normal approximation."""
    if len(values) < 2:
        return (fmean(values), None) if values else (None, None)
    return fmean(values), _Z * stdev(values) / sqrt(len(values))


def difference(mean: float | None, low: float | None, high: float | None) -> str:
    """Return a difference of shares with its interval, as far as they are known."""
    between = "" if low is None or high is None else f" (95 %: {low:+.1%} to {high:+.1%})"
    return "" if mean is None else f"{mean:+.1%}{between}"


def percent(share: float | None) -> str:
    """Return a share for a person."""
    return "unknown" if share is None else f"{share:.1%}"


def spent(tokens: int | None, cost: float | None) -> str:
    """Return the tokens and the dollars that are known; nothing when neither is."""
    parts = [] if tokens is None else [f"{tokens:,} generated tokens"]
    return ", ".join(parts + ([f"{cost:,.2f} dollars"] if cost else []))
