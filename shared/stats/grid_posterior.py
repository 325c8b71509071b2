"""A posterior as a sum over a grid that closes in on its mass, and what it says of single numbers."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import exp, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

Point = tuple[float, ...]
Axes = Sequence[Sequence[float]]
ZOOMS, SPREAD, COUNT = 3, 3.0, 9
"""How often the grid is refined, each time to this many standard deviations around the mean; points on a finer axis."""


class Interval(NamedTuple):
    """An estimate with its 80 % and 95 % intervals."""

    mean: float
    low80: float
    high80: float
    low95: float
    high95: float


def axis(low: float, high: float, count: int = COUNT, step: float = 0.0) -> list[float]:
    """Equally spaced values; with `step` only its multiples."""
    values = [low + (high - low) * index / (count - 1) for index in range(count)]
    return sorted({round(round(value / step) * step, 6) for value in values}) if step else values


def grid_posterior(
    log_density: Callable[[Axes], Iterable[tuple[float, Point]]], axes: Axes, steps: Sequence[float]
) -> list[tuple[float, Point]]:
    """Weights that add up to 1, and points. `log_density`: a value, up to a constant, for every point of the axes."""
    points = normalise(log_density(axes))
    for _ in range(ZOOMS - 1):
        axes = [_closer(points, index, each, steps[index]) for index, each in enumerate(axes)]
        points = normalise(log_density(axes))
    return points


def _closer(points: Sequence[tuple[float, Point]], index: int, coarse: Sequence[float], step: float) -> Sequence[float]:
    """A finer axis around the posterior's mass."""
    if len(coarse) == 1:
        return coarse
    mean = sum(weight * point[index] for weight, point in points)
    spread = sqrt(sum(weight * (point[index] - mean) ** 2 for weight, point in points))
    around = SPREAD * max(spread, (coarse[-1] - coarse[0]) / (len(coarse) - 1) / 3)
    return axis(max(coarse[0], mean - around), min(coarse[-1], mean + around), step=step)


def normalise(logs: Iterable[tuple[float, Point]]) -> list[tuple[float, Point]]:
    """Weights from their logarithms."""
    pairs = list(logs)
    highest = max(value for value, _ in pairs)
    weights = [exp(value - highest) for value, _ in pairs]
    total = sum(weights)
    return [(weight / total, point) for weight, (_, point) in zip(weights, pairs, strict=True)]


def interval(points: Iterable[tuple[float, float]]) -> Interval:
    """Of weighted values; each stands for the ground up to half-way to its neighbours."""
    merged = dict[float, float]()
    for weight, value in points:
        merged[value] = merged.get(value, 0.0) + weight
    values = sorted(merged)
    edges = [values[0], *((left + right) / 2 for left, right in pairwise(values)), values[-1]]
    below = [0.0]
    for value in values:
        below.append(below[-1] + merged[value])

    def quantile(p: float) -> float:
        for index, (left, right) in enumerate(pairwise(below)):
            if right >= p:
                part = (p - left) / (right - left) if right > left else 0.0
                return edges[index] + part * (edges[index + 1] - edges[index])
        return edges[-1]

    mean = sum(merged[value] * value for value in values)
    return Interval(mean, *(quantile(p) for p in (0.1, 0.9, 0.025, 0.975)))


def beta_interval(a: float, b: float) -> Interval:
    """Of a rate with this Beta posterior."""
    grid = [(index + 0.5) / 1000 for index in range(1000)]
    points = normalise(((a - 1) * log(p) + (b - 1) * log(1 - p), (p,)) for p in grid)
    return interval((weight, p) for weight, (p,) in points)


def mixture_interval(parts: Sequence[tuple[float, float, float]], step: float) -> Interval:
    """Of a mixture of normal distributions (weight, mean, deviation) of a share that is counted in steps."""

    def below(value: float) -> float:
        return sum(
            weight * (NormalDist(mean, spread).cdf(value) if spread else float(mean <= value))
            for weight, mean, spread in parts
        )

    def quantile(p: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if below(middle) < p else (low, middle)
        return min(1.0, max(0.0, low + (step if p > 0.5 else -step) / 2))

    mean = sum(weight * middle for weight, middle, _ in parts)
    return Interval(mean, *(quantile(p) for p in (0.1, 0.9, 0.025, 0.975)))
