"""A world in which the truth is known and hard problems are common, to try policies of verification on.

The world of `shared/stats/belief.py`, drawn; nothing of it is read by what decides. Answers are numbers: 0 the truth,
1 the common error, 2 a second error, from 3 on answers that nobody gives twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp
from random import Random

HARD = 0.25
"""Solve rate below which a problem is hard."""
MISPRINT = -1
REPEAT, COMMON_ERROR_KEYS, FALSE_ALARM = 0.03, 0.5, 0.05


@dataclass(frozen=True, slots=True)
class World:
    """What is true. Verifiers take turns: the even votes are the first one's."""

    wrong_keys: float
    error_agreement: float
    catch: float
    adjudicator: float = 0.8
    second_ability: float = 0.0
    """Log-odds of the second verifier relative to the first."""
    second_squares: bool = False
    """The second verifier solves with chance s², which no constant in log-odds describes."""
    own_hardness: bool = False
    """Half of the problems are hard for one of the verifiers alone."""
    dependence: float = 0.0
    """Chance that an attempt of the second verifier repeats the first one's."""


@dataclass(frozen=True, slots=True)
class Case:
    """A problem with everything that may be observed about it, drawn beforehand: policies see the same draws."""

    solve_rate: float
    right: bool
    key: int
    votes: tuple[int, ...]
    passed: tuple[bool, bool]
    """What the two judges say that see the key."""
    draw: float
    """Uniform on [0, 1): decides what adjudicators say."""

    @property
    def hard(self) -> bool:
        return self.solve_rate < HARD


def cases(world: World, count: int, votes: int, seed: str) -> list[Case]:
    """Draw problems."""
    rng = Random(seed)
    return [_case(world, votes, rng) for _ in range(count)]


def _case(world: World, votes: int, rng: Random) -> Case:
    solve_rate, rho = rng.random() ** (1 / 0.6), world.error_agreement
    common = rng.betavariate(2 * rho, 2 * (1 - rho)) if 0 < rho < 1 else rho
    right = rng.random() >= world.wrong_keys
    key = 0 if right else 1 if rng.random() < COMMON_ERROR_KEYS else MISPRINT
    passes = 1 - FALSE_ALARM if right else 1 - world.catch
    drawn = tuple(_votes(world, solve_rate, common, votes, rng))
    return Case(solve_rate, right, key, drawn, (rng.random() < passes, rng.random() < passes), rng.random())


def _votes(world: World, solve_rate: float, common: float, count: int, rng: Random) -> Iterator[int]:
    rates, last = _rates(world, solve_rate, rng), 0
    for index in range(count):
        if index % 2 and world.dependence and rng.random() < world.dependence:
            yield last
            continue
        if rng.random() < rates[index % 2]:
            last = 0
        elif rng.random() < common:
            last = 1
        else:
            last = 2 if rng.random() < REPEAT else 3 + index
        yield last


def _rates(world: World, solve_rate: float, rng: Random) -> Sequence[float]:
    if world.own_hardness and rng.random() < 0.5:
        other = rng.random() ** (1 / 0.6)
        return (solve_rate, other) if rng.random() < 0.5 else (other, solve_rate)
    if world.second_squares:
        return solve_rate, solve_rate**2
    odds = exp(world.second_ability)
    return solve_rate, solve_rate * odds / (1 - solve_rate + solve_rate * odds)
