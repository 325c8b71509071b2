"""Duplicates and edits of problems, generated and hand-written: what screening must recognise, and what it must pass.

Generated from the simulator's bank: white space and case, shuffled clauses, renamed variables, all three together, and
replaced words, as an edit that hides a benchmark's question. Hand-written: other units, short questions.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from schemas.item import Problem
from services.screening.fingerprint import NEAR_IF_DISTINCTIVE, fingerprint
from services.simulator.bank import SUBJECTS, problems

Edit = Callable[[Random, str], str]

_LETTER = re.compile(r"(?<![A-Za-z\\{])[A-Za-z](?![A-Za-z])")
_MATHS = re.compile(r"\$[^$]*\$")
_SENTENCE_END = re.compile(r"(?<=[a-z)$}0-9][.?!])\s+(?=[A-Z$])")
_LETTERS = "abcdfghjkmnpqrstuvwxyzABCDEGHJKLMNPQRTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts of the same problem."""

    how: str
    one: Problem
    other: Problem


def problem(statement: str, answer: str) -> Problem:
    return Problem(statement=statement, answer=answer, answer_type="number", rationale="")


def bank(seed: int = 0) -> list[Problem]:
    """Return all problems of a simulator bank: a few dozen templates with about a hundred choices of numbers."""
    return [problem(one.text, one.answer) for subject in SUBJECTS for one in problems(seed, subject)]


def spaced(rng: Random, text: str) -> str:
    return re.sub(" ", lambda _: rng.choice([" ", "  ", "\n", " \t"]), text[0].lower() + text[1:])


def reordered(rng: Random, text: str) -> str:
    """Shuffle sentences, and in some of them the clauses between commas."""
    sentences = _SENTENCE_END.split(text)
    rng.shuffle(sentences)
    return " ".join(_clauses(rng, sentence) for sentence in sentences)


def _clauses(rng: Random, sentence: str) -> str:
    clauses = re.split(r", (?:and |where |with )?", sentence[:-1])
    if "(" in sentence or any(clause.count("$") % 2 for clause in clauses):
        return sentence
    rng.shuffle(clauses)
    return ", ".join(clauses) + sentence[-1]


def renamed(rng: Random, text: str) -> str:
    """Rename every single-letter variable of the formulas."""
    letters = sorted({letter for maths in _MATHS.findall(text) for letter in _LETTER.findall(maths)})
    names = dict(zip(letters, rng.sample(_LETTERS, len(letters)), strict=True))
    return _MATHS.sub(lambda maths: _LETTER.sub(lambda letter: names[letter[0]], maths[0]), text)


def all_at_once(rng: Random, text: str) -> str:
    return spaced(rng, renamed(rng, reordered(rng, text)))


SAME: dict[str, Edit] = {"space and case": spaced, "order": reordered, "names": renamed, "all three": all_at_once}

_OTHER_WORDS = (
    "suitable",
    "respective",
    "prescribed",
    "ordinary",
    "present",
    "chosen",
    "namely",
    "overall",
    "resulting",
)


def exchanged(rng: Random, text: str) -> str:
    """Replace one word in ten."""
    words = text.split(" ")
    plain = [at for at, word in enumerate(words) if word.isalpha()]
    for at in rng.sample(plain, min(len(plain), max(1, len(words) // 10))):
        words[at] = rng.choice(_OTHER_WORDS)
    return " ".join(words)


def wrapped(_: Random, text: str) -> str:
    return f"Solve the following task with care. {text} Give only the final result, in its simplest form."


EDITED: dict[str, Edit] = {**SAME, "one word in ten": exchanged, "wrapped": wrapped}

_MEASURED = (
    ("A bar of length {} and cross section $4\\,\\mathrm{{mm}}^2$ is clamped at one end. Find its lowest frequency if "
     "its density is ${}\\,\\mathrm{{kg/m^3}}$ and its modulus is known to be that of steel.",
     (("25 cm", "0.25 m"), ("300 mm", "$0.3\\,\\mathrm{m}$"), ("1.2 km", "1200 metres"))),
    ("A mass of {} hangs from a spring and is set swinging at the surface of a planet whose gravity is ${}$ times that "
     "of the earth. Determine the stretch of the spring at rest, which was measured before.",
     (("250 g", "0.25 kg"), ("$2\\,\\mathrm{kg}$", "2000 g"), ("35 mg", "0.035 g"))),
    ("A train slows down evenly from a speed of {} until it stands, over a way that is ${}$ times its own length. "
     "Compute the time it takes, the train being as long as eight coaches.",
     (("72 km/h", "20 m/s"), ("$30\\,\\mathrm{m/s}$", "108 km/h"), ("54 km h^{-1}", "15 m s^{-1}"))),
    ("A capacitor is charged and gives off {} of energy to a resistor of ${}$ ohms. How long does it take until half "
     "of that energy is left in it, the leads being ideal?",
     (("2.5 kJ", "2500 J"), ("$40\\,\\text{mJ}$", "0.04 J"), ("3 MJ", "3 \\times 10^{6} J"))),
    ("A reaction of first order has run for {} when ${}$ per cent of the substance are left. Find its half-life, "
     "the temperature being held constant by a bath.",
     (("5 min", "300 s"), ("2 h", "7200 seconds"), ("90 s", "1.5 minutes"))),
)  # fmt: skip


def in_other_units() -> Iterator[Pair]:
    """Yield pairs with one quantity converted to another unit; the key may differ with it."""
    for template, quantities in _MEASURED:
        for number in range(20, 26):
            for one, other in quantities:
                pair = (problem(template.format(one, number), f"{number}.5"), template.format(other, number))
                yield Pair("units", pair[0], problem(pair[1], f"{number}.5" if number % 2 else f"0.{number}5"))


def planted(number: int, seed: int = 0) -> Iterator[Pair]:
    """Yield duplicates of some bank problems, one for each edit that changes them, and of problems with units.

    Those whose numbers and key do not agree by chance are also found with other words.
    """
    rng = Random(seed)
    for one in rng.sample(bank(), number):
        for how, edit in SAME.items():
            text = edit(rng, one.statement)
            if text != one.statement:
                yield Pair(how, one, one.with_(statement=text))
        if fingerprint(one).near == NEAR_IF_DISTINCTIVE:
            yield Pair("one word in ten", one, one.with_(statement=exchanged(rng, one.statement)))
    yield from in_other_units()


SHORT = (
    "What is the largest prime factor of 600851475143?",
    "How many positive divisors does 20! have?",
    "Which element has the highest electronegativity?",
    "Who proved the prime number theorem in 1896?",
    "What is the Euler characteristic of the Klein bottle?",
    "Find the remainder when 7^100 is divided by 13.",
    "How many trees are there on 8 labelled vertices?",
    "Name the enzyme that unwinds DNA during replication.",
    "Evaluate the sum of the reciprocals of the squares.",
    "In which year did the Peace of Westphalia end the war?",
    "What is the capital of the Hittite empire?",
    "How many groups of order 16 are there up to isomorphism?",
)
"""Questions of fewer than 13 words."""


def edited_in(rng: Random, text: str) -> str:
    """Embed a short question with one word replaced in a longer problem."""
    words = text.split(" ")
    words[rng.randrange(1, len(words) - 1)] = rng.choice(_OTHER_WORDS)
    return f"Answer the question below with a single value. {' '.join(words)} State it without any rounding."
