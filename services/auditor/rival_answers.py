"""Reads an item's recorded attempts: its most common wrong answer, and its difficulty."""

from collections import Counter
from collections.abc import Iterator

from schemas.item import Item
from shared.answers.normal import math_form


def rival_answer(item: Item) -> str | None:
    """Return the most common wrong answer among blind votes and solutions; None without one.

    Errors that models share are the most likely ones, and the hardest to notice.
    """
    wrong = list(_wrong(item))
    counts = Counter(map(math_form, wrong))
    return min(wrong, key=lambda answer: (-counts[math_form(answer)], answer), default=None)


def _wrong(item: Item) -> Iterator[str]:
    voted = ((vote.answer, vote.agrees) for verdict in item.verdicts for vote in verdict.votes)
    solved = ((attempt.answer, attempt.agrees) for attempt in item.attempts)
    yield from (answer for answer, agrees in (*voted, *solved) if answer is not None and agrees == "no")


def difficulty(item: Item) -> float | None:
    """Return 0 (easy) to 1 (hard): the share of probe attempts, else of blind votes, that missed; None if unknown."""
    if item.probe and (graded := item.probe.attempts - item.probe.ungraded):
        return 1 - item.probe.hits / graded
    votes = [vote for verdict in item.verdicts for vote in verdict.votes if vote.agrees != "unsure"]
    return sum(vote.agrees == "no" for vote in votes) / len(votes) if votes else None
