"""The average over solve rates where verifiers differ in ability: Gauss-Jacobi quadrature in pure Python.

With NODES nodes it is exact for polynomials of degree 63, so for equal abilities it agrees with the closed form up to
63 votes. Source of recurrence and weights: W. Gautschi, Orthogonal Polynomials, 2004, sections 1.5 and 3.1.
"""

from functools import lru_cache
from math import cos, exp, log, log1p, pi, sqrt

NODES = 32


@lru_cache(maxsize=16)
def beta_nodes(a: float, b: float) -> tuple[tuple[float, float], ...]:
    """(node in (0, 1), weight) for an average over Beta(a, b); the weights add up to 1."""
    alpha, beta = b - 1, a - 1
    middle, square = [(beta - alpha) / (alpha + beta + 2)], [1.0]
    for k in range(1, NODES):
        t = 2 * k + alpha + beta
        middle.append((beta - alpha) * (beta + alpha) / (t * (t + 2)))
        first = 4 * (1 + alpha) * (1 + beta) / ((2 + alpha + beta) ** 2 * (3 + alpha + beta))
        later = 4 * k * (k + alpha) * (k + beta) * (k + alpha + beta)
        square.append(first if k == 1 else later / (t * t * (t + 1) * (t - 1)))
    roots: list[float] = []
    for number in range(NODES):
        roots.append(_root(cos(pi * (number + 0.75) / (NODES + 0.5)), roots, middle, square))
    return tuple(((1 + x) / 2, 1 / _norm(x, middle, square)) for x in sorted(roots))


def _root(x: float, known: list[float], middle: list[float], square: list[float]) -> float:
    """The next root of the highest polynomial: Newton's method with the known roots divided out."""
    for _ in range(100):
        before, value, slope_before, slope = 0.0, 1.0, 0.0, 0.0
        for m, q in zip(middle, square, strict=True):
            before, value, slope_before, slope = (
                value,
                (x - m) * value - q * before,
                slope,
                value + (x - m) * slope - q * slope_before,
            )
        step = value / (slope - value * sum(1 / (x - root) for root in known))
        x -= step
        if abs(step) < 1e-15:
            break
    return x


def _norm(x: float, middle: list[float], square: list[float]) -> float:
    """Sum of the squares of the orthonormal polynomials at x; one over it is the weight of the node."""
    before, value, total = 0.0, 1.0, 1.0
    for k in range(NODES - 1):
        before, value = (
            value,
            ((x - middle[k]) * value - (sqrt(square[k]) * before if k else 0.0)) / sqrt(square[k + 1]),
        )
        total += value * value
    return total


@lru_cache(maxsize=1 << 12)
def _log_rates(a: float, b: float, ability: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Logarithms of the chances to be right and to be wrong at each node; abilities shift the log-odds (Rasch)."""
    odds = exp(ability)
    norms = [log1p(s * (odds - 1)) for s, _ in beta_nodes(a, b)]
    right = tuple(log(s) + ability - norm for (s, _), norm in zip(beta_nodes(a, b), norms, strict=True))
    wrong = tuple(log1p(-s) - norm for (s, _), norm in zip(beta_nodes(a, b), norms, strict=True))
    return right, wrong


@lru_cache(maxsize=1 << 16)
def average_chance(
    a: float, b: float, abilities: tuple[float, ...], right: tuple[int, ...], wrong: tuple[int, ...], guess: float
) -> float:
    """Chance of these right and wrong votes, counted by verifier, over solve rates from Beta(a, b).

    `guess`: chance that a wrong attempt hits the right answer by guessing.
    """
    powers = [0.0] * NODES
    for ability, hits, misses in zip(abilities, right, wrong, strict=True):
        log_right, log_wrong = _log_rates(a, b, ability)
        if guess and hits:
            log_right = tuple(log(exp(r) + exp(w) * guess) for r, w in zip(log_right, log_wrong, strict=True))
        powers = [p + hits * r + misses * w for p, r, w in zip(powers, log_right, log_wrong, strict=True)]
    return sum(weight * exp(p) for (_, weight), p in zip(beta_nodes(a, b), powers, strict=True))
