"""Is a chain of thought sound? What can be seen without knowing the subject."""

from schemas.item import FAULTS, Attempt

GRAM = 16
"""Words of an n-gram; by chance none of this length comes back often."""
LOOP = 0.3
"""Share of n-grams that were there before, above which a trace goes round in circles."""
LEAST_WORDS = 200
"""Shorter texts are not checked for loops."""


def flaws(attempt: Attempt) -> tuple[str, ...]:
    """What is unsound: those already noted, then no_thinking, no_answer, repetition."""
    found = {
        "no_thinking": not attempt.reasoning,
        "no_answer": attempt.answer is None and not set(FAULTS) & set(attempt.flaws),
        "repetition": repeats(attempt.reasoning) > LOOP or repeats(attempt.solution) > LOOP,
    }
    return tuple(dict.fromkeys((*attempt.flaws, *(flaw for flaw, there in found.items() if there))))


def repeats(text: str) -> float:
    """Share of 16-word n-grams that occurred earlier in the text; 0 for a short text."""
    words = text.split()
    if len(words) < LEAST_WORDS:
        return 0.0
    total = len(words) - GRAM + 1
    return 1 - len(set(zip(*(words[start : start + total] for start in range(GRAM)), strict=True))) / total
