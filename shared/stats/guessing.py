"""How likely is it that a guess hits? A hit says little where there are few answers to guess from.

| key | chance of one guess |
|---|---|
| yes or no, true or false, even or odd | 1/2 |
| one letter A to E | 1/4 |
| a whole number up to 3, either sign | 1/5 |
| a day of the week | 1/7 |
| a month; a whole number up to 20, either sign | 1/12 |
| anything else | 0 |

Whole numbers are not guessed evenly: small ones are far likelier, as answers and as guesses.
"""

from math import comb

from shared.answers.normal import text_form
from shared.answers.number import read_number

MAX_P_VALUE = 0.01
"""Chance of agreement by guessing alone from which hits prove nothing."""
MAX_P_VALUE_ONE_MODEL = MAX_P_VALUE**0.5
"""The same for one of two verifiers: both together are then below LUCK."""

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
"""Largest absolute value, chance; narrowest first."""


def guess_probability(key: str) -> float:
    """Chance that one guess hits the key."""
    number = read_number(key)
    if number is None:
        return _WORDS.get(text_form(key), 0.0)
    if number.value.denominator != 1:
        return 0.0
    return next((p for most, p in _NUMBERS if abs(number.value) <= most), 0.0)


def hits_needed(model: str, writer: str | None) -> int:
    """Blind hits from which a model bears witness: one; two from the writer's own, which may repeat its own slip."""
    return 2 if model == writer else 1


def p_value(p: float, hits: int, guesses: int) -> float:
    """Chance that at least so many of the guesses hit, each with chance `p`; without misses, p to the power of hits."""
    return sum(comb(guesses, k) * p**k * (1 - p) ** (guesses - k) for k in range(hits, guesses + 1))
