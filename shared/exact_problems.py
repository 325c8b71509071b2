"""Problems whose answers are computed exactly by integer arithmetic: controls for audits.

    exact(7)                  problem number 7 of an endless series; levels 1 to 5, families in turn
    read(statement)           the same problem from its statement, for the simulator

A statement has all integers of its problem in order, and no other digits, so the problem can be read from it.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from schemas.item import Problem, Topic

LEVELS = 5


@dataclass(frozen=True, slots=True)
class Exact:
    """A problem, its topic, and its level from 1 to `LEVELS`."""

    problem: Problem
    topic: Topic
    level: int


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of problem. The other functions take the integers that `draw` returns."""

    topic: Topic
    draw: Callable[[Random, int], list[int]]
    """(random, level) → integers."""
    statement: Callable[..., str]
    answer: Callable[..., int]
    level: Callable[..., int]


def exact(n: int) -> Exact:
    """The n-th problem. It never changes."""
    family, level = FAMILIES[n // LEVELS % len(FAMILIES)], n % LEVELS + 1
    return _build(family, family.draw(Random(n), level))  # noqa: S311 - a seed, not a secret


def read(statement: str) -> Exact | None:
    """The problem with this statement; `None` when there is none."""
    values = [int(number) for number in re.findall(r"-?\d{1,18}", statement)]
    return next((_build(family, values) for family in FAMILIES if _matches(family, values, statement)), None)


def _matches(family: Family, values: list[int], statement: str) -> bool:
    try:
        return family.statement(*values) == statement
    except (TypeError, ValueError):  # another number of integers
        return False


def _build(family: Family, values: list[int]) -> Exact:
    answer = str(family.answer(*values))
    problem = Problem(
        statement=family.statement(*values),
        answer=answer,
        answer_type="number",
        rationale=f"Exact integer arithmetic gives {answer}.",
    )
    return Exact(problem, family.topic, family.level(*values))


def _topic(field: str, subfield: str, name: str) -> Topic:
    return Topic(subject="mathematics", field=field, subfield=subfield, name=name)


def _points(values: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(values[::2], values[1::2], strict=True))


def _draw_matrix(random: Random, level: int) -> list[int]:
    return [random.randint(-9, 9) for _ in range((level + 2) ** 2)]


def _matrix(*entries: int) -> str:
    n = math.isqrt(len(entries))
    rows = r" \\ ".join(" & ".join(map(str, entries[at : at + n])) for at in range(0, len(entries), n))
    return (
        f"Let $A$ be the square matrix $\\begin{{pmatrix}}{rows}\\end{{pmatrix}}$ over the integers. "
        "Its rows generate a sublattice of the lattice of all integer vectors of the same length, possibly of smaller "
        "rank. Find the determinant of $A$, with its sign, as an integer."
    )


def _determinant(*entries: int) -> int:
    n = math.isqrt(len(entries))

    @cache
    def minor(columns: tuple[int, ...]) -> int:
        """Determinant of these columns and as many last rows, by Laplace expansion."""
        row = entries[n * (n - len(columns)) :]
        parts = (
            (-1) ** at * row[column] * minor(columns[:at] + columns[at + 1 :]) for at, column in enumerate(columns)
        )
        return sum(parts) if columns else 1

    return minor(tuple(range(n)))


def _draw_paths(random: Random, level: int) -> list[int]:
    width, height = random.randint(level + 4, level + 8), random.randint(level + 4, level + 8)
    inner = [(x, y) for x in range(1, width) for y in range(1, height)]
    return [width, height, *(part for point in sorted(random.sample(inner, level)) for part in point)]


def _paths(width: int, height: int, *holes: int) -> str:
    listed = ", ".join(f"$({x},{y})$" for x, y in _points(holes))
    return (
        f"A lattice path leads from the origin to the point $({width},{height})$. Each of its steps goes by one unit "
        "to the right or by one unit upwards, and all of its vertices have integer coordinates. The following lattice "
        f"points are closed, and no vertex of the path may be one of them: {listed}. Find the number of such paths."
    )


def _count_paths(width: int, height: int, *holes: int) -> int:
    closed, ways = set(_points(holes)), {(0, 0): 1}
    for x in range(width + 1):
        for y in range(height + 1):
            if x or y:
                ways[x, y] = 0 if (x, y) in closed else ways.get((x - 1, y), 0) + ways.get((x, y - 1), 0)
    return ways[width, height]


def _draw_recurrence(random: Random, level: int) -> list[int]:
    start, factors = [random.randint(1, 9) for _ in "ab"], [random.randint(2, 9) for _ in "pq"]
    return [*start, *factors, random.randrange(20 * level, 20 * (level + 1)), random.randint(101, 997)]


def _recurrence(a: int, b: int, p: int, q: int, at: int, modulus: int) -> str:
    return (
        f"A sequence of integers begins with ${a}$ and ${b}$, in this order. Every later term is ${p}$ times the "
        f"term just before it plus ${q}$ times the term before that. The two given terms are counted as the first and "
        f"the second. Find the least non-negative remainder of the term with number ${at}$ on division by ${modulus}$."
    )


def _term(a: int, b: int, p: int, q: int, at: int, modulus: int) -> int:
    for _ in range(at - 1):
        a, b = b, (p * b + q * a) % modulus
    return a % modulus


def _draw_tower(random: Random, level: int) -> list[int]:
    modulus = random.randrange(10**level, 10 ** (level + 1))
    return [random.randint(2, 99), random.randint(2, 9), random.randint(2, 9), random.randint(2, 4), modulus]


def _tower(a: int, b: int, c: int, d: int, modulus: int) -> str:
    return (
        f"Consider the power tower $T={a}^{{{b}^{{{c}^{{{d}}}}}}}$, which is evaluated from the top down, as towers of "
        f"powers are: first the two highest numbers, then the next lower one as base, and so on. Base and modulus need "
        f"not be coprime. Find the least non-negative remainder of $T$ on division by ${modulus}$."
    )


FAMILIES = (
    Family(
        _topic("algebra", "linear algebra", "determinants of integer matrices"),
        _draw_matrix,
        _matrix,
        _determinant,
        lambda *entries: math.isqrt(len(entries)) - 2,
    ),
    Family(
        _topic("combinatorics", "enumeration", "lattice paths with forbidden points"),
        _draw_paths,
        _paths,
        _count_paths,
        lambda width, height, *holes: len(holes) // 2,
    ),
    Family(
        _topic("number theory", "recurrences", "linear recurrences modulo an integer"),
        _draw_recurrence,
        _recurrence,
        _term,
        lambda a, b, p, q, at, modulus: at // 20,
    ),
    Family(
        _topic("number theory", "congruences", "power towers modulo an integer"),
        _draw_tower,
        _tower,
        lambda a, b, c, d, modulus: pow(a, b ** (c**d), modulus),
        lambda a, b, c, d, modulus: len(str(modulus)) - 1,
    ),
)
