"""The bank: problems by subject, made by code with exact answers. The same seed makes the same bank.

The module of a subject has `FAMILIES`, functions that each draw one kind of problem. A subject is built at its first
use and stays in memory.

algebra.py           mathematics: matrices, finite rings and fields, topology
analysis.py          mathematics: integrals, residues, probability
biology.py           biology
calendars.py         history: calendars
chemistry.py         chemistry
combinatorics.py     mathematics: counting
computer_science.py  computer science
craft.py             functions that families share
exactly.py           problems of exact arithmetic, which the factory uses as controls
genetics.py          biology: genetics
history.py           history
linguistics.py       linguistics
literature.py        literature
mathematics.py       mathematics
matter.py            physics: many particles and solids
near.py              finds the problem of an altered statement
phonology.py         linguistics: sound and form
physics.py           physics
problem.py           the types of a problem
strings.py           computer science: strings
structure.py         chemistry: structure
verse.py             literature: verse
verses.py            lines of verse and hidden words
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from services.simulator.bank.craft import phrase
from services.simulator.bank.exactly import exactly
from services.simulator.bank.near import Near
from services.simulator.bank.problem import Family, Problem, Sketch
from services.simulator.sampling import seeded_random

SUBJECTS = (
    "mathematics",
    "physics",
    "chemistry",
    "biology",
    "computer science",
    "linguistics",
    "literature",
    "history",
)
SIZES = {"mathematics": 2400}
"""Number of problems by subject; other subjects have `SIZE`."""
SIZE = 1200
LARGE_SIZE = 12_500
"""Number of problems of each subject in the large bank, which begins with the problems of the small one."""
TRIES = 40
"""A family that draws nothing new this many times in a row is exhausted."""


def slips_of(sketch: Sketch) -> list[str]:
    """Return the sketch's slips without duplicates and without the true answer."""
    return [slip for slip in dict.fromkeys(sketch.slips) if slip != sketch.answer]


@cache
def problems(seed: int, subject: str, large: bool = False) -> tuple[Problem, ...]:
    """Return a subject's problems, drawn from the families in turn. Raises KeyError for an unknown subject."""
    if subject not in SUBJECTS:
        raise KeyError(subject)
    families: list[Family] = list(import_module(f"{__name__}.{subject.replace(' ', '_')}").FAMILIES)
    size = LARGE_SIZE if large else SIZES.get(subject, SIZE)
    made: list[Problem] = []
    seen: set[object] = set()
    turn = 0
    while len(made) < size and families:
        family = families[turn % len(families)]
        for attempt in range(TRIES):
            rng = seeded_random(seed, subject, family.__name__, turn, attempt)
            sketch = family(rng)
            same = (family.__name__, *sketch.steps)
            text, slips = phrase(rng, sketch.text), slips_of(sketch)
            if same not in seen and text not in seen and len(slips) >= 3:
                seen |= {same, text}
                made.append(_problem(seed, subject, family, sketch, text, slips))
                break
        else:
            families.remove(family)
        turn += 1
    return tuple(made)


def _problem(seed: int, subject: str, family: Family, sketch: Sketch, text: str, slips: list[str]) -> Problem:
    return Problem(
        id=f"{seeded_random(seed, subject, text).getrandbits(64):016x}",
        subject=subject,
        family=family.__name__,
        text=text,
        answer=sketch.answer,
        answer_type=sketch.answer_type,
        difficulty=round(min(max(sketch.difficulty, -2.0), 3.0), 3),
        steps=tuple(sketch.steps),
        slips=(slips[0], slips[1], slips[2]),
    )


def key(text: str) -> str:
    """Return the key of a statement: without white space and backslashes (JSON doubles them), in lower case."""
    return re.sub(r"[\\\s]+", "", text).lower()


@cache
def index(seed: int, large: bool = False) -> Mapping[str, Problem]:
    """Return all problems of the bank by the key of their statement."""
    return MappingProxyType({key(p.text): p for subject in SUBJECTS for p in problems(seed, subject, large)})


@cache
def near(seed: int, large: bool = False) -> Near:
    """Return the index for altered statements, built once."""
    return Near(index(seed, large).values())


class Bank:
    """All problems of one seed."""

    def __init__(self, seed: int, *, large: bool = False) -> None:
        """Create the bank without building it."""
        self.seed = seed
        self._large = large

    def build(self) -> int:
        """Build all of it now, which takes a second, or some 20 for a large bank. Returns the number of problems."""
        near(self.seed, self._large)
        return len(index(self.seed, self._large))

    def problems(self, subject: str) -> tuple[Problem, ...]:
        """Return the problems of a subject. Raises KeyError for an unknown subject."""
        return problems(self.seed, subject, self._large)

    def find(self, problem_text: str) -> Problem | None:
        """Return the problem with this statement, of the bank or of exact arithmetic, or `None`."""
        return index(self.seed, self._large).get(key(problem_text)) or exactly(problem_text)

    def near(self, text: str) -> Problem | None:
        """Return the problem that shares most runs of words with the text, or `None` if it shares too few."""
        return near(self.seed, self._large).nearest(text)

    def truth(self, problem_text: str) -> str | None:
        """Return the true answer of a statement, or `None` for an unknown statement."""
        found = self.find(problem_text)
        return found.answer if found else None

    def draw(self, subject: str, topic: str, seed: int | str, easy: Problem | None = None) -> Problem:
        """Draw a problem of the subject; the result depends on topic and seed. Raises KeyError for an unknown subject.

        With an easy problem, draw a harder one of the same family, if there is one.
        """
        problems = self.problems(subject)
        if easy:
            harder = tuple(one for one in problems if one.family == easy.family and one.difficulty > easy.difficulty)
            problems = harder or problems
        return seeded_random(self.seed, "draw", subject, topic, seed).choice(problems)
