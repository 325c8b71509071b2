"""Probability of a correct guess. A hit is weak evidence when there are few possible answers.

| key | probability of one guess |
|---|---|
| yes or no, true or false, even or odd | 1/2 |
| one letter A to E | 1/4 |
| a whole number up to 3, either sign | 1/5 |
| a day of the week | 1/7 |
| a month; a whole number up to 20, either sign | 1/12 |
| anything else | 0 |

Whole numbers are not equally likely: small ones are more frequent, as answers and as guesses.
"""

from collections.abc import Collection
from math import comb

from shared.answers.normal import text_form
from shared.answers.number import read_number

MAX_P_VALUE = 0.01
"""Hits count as evidence when guessing gives them with at most this probability."""
MAX_P_VALUE_ONE_MODEL = MAX_P_VALUE**0.5
"""The limit for one of two verifiers: both together are then below MAX_P_VALUE."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WORDS = {
    **dict.fromkeys(("yes", "no", "true", "false", "even", "odd"), 1 / 2),
    **dict.fromkeys("abcde", 1 / 4),
    **dict.fromkeys(_DAYS, 1 / 7),
    **dict.fromkeys(_MONTHS, 1 / 12),
}
_NUMBERS = ((3, 1 / 5), (20, 1 / 12))
"""(largest absolute value, probability), narrowest first."""


def guess_probability(key: str) -> float:
    """Probability that one guess hits the key."""
    number = read_number(key)
    if number is None:
        return _WORDS.get(text_form(key), 0.0)
    if number.value.denominator != 1:
        return 0.0
    return next((p for most, p in _NUMBERS if abs(number.value) <= most), 0.0)


def hits_needed(model: str, writers: Collection[str]) -> int:
    """Blind hits that count as evidence: one; two from the writer's own model, which may repeat its own error.

    `writers`: the names of the writer's model.
    """
    return 2 if model in writers else 1


def p_value(p: float, hits: int, guesses: int) -> float:
    """Probability of at least `hits` hits in independent guesses with probability `p` each (binomial tail)."""
    return sum(comb(guesses, k) * p**k * (1 - p) ** (guesses - k) for k in range(hits, guesses + 1))
