"""Pairs of answers whose verdict is known: to measure a judge with."""

import re
from random import Random

from schemas.item import Problem
from shared.answers.rules.decide import decide

_REWORDED = ("it is {}", "the result is {}", "exactly {}, no more and no less", "{} (as the only answer)")
_DIGIT = re.compile(r"\d")
_SIGN = re.compile(r"(?<=[\w)}]) ?[+-] ?(?=[\w\\(])")
_LETTER = re.compile(r"(?<![\\A-Za-z{])[a-z](?![A-Za-z}])")


def reworded(key: str, dice: Random) -> str:
    """The key in a sentence, which no rule compares."""
    return dice.choice(_REWORDED).format(key)


def altered(problem: Problem, dice: Random) -> str | None:
    """The key with one digit, sign or letter changed, in a sentence; None where the rules cannot tell them apart."""
    key = problem.answer
    for pattern in dice.sample((_DIGIT, _SIGN, _LETTER), 3):
        if places := list(pattern.finditer(key)):
            place = dice.choice(places)
            other = f"{key[: place.start()]}{_other(place[0], dice)}{key[place.end() :]}"
            if decide(key, other, problem.answer_type).result.agrees == "no":
                return reworded(other, dice)
    return None


def _other(written: str, dice: Random) -> str:
    if written.isdigit():
        return str((int(written) + dice.randint(1, 9)) % 10)
    if written.strip() in {"+", "-"}:
        return " - " if "+" in written else " + "
    return dice.choice([letter for letter in "abcknxyz" if letter != written])
