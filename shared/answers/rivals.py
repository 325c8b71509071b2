"""The blind answers that speak against the key, grouped by what they say: `1/2` and `0.5` are one rival."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.item import Verdict
from shared.answers.normal import math_form, text_form
from shared.answers.number import compare_numbers, read_number


@dataclass(frozen=True, slots=True)
class Rival:
    """One answer other than the key, as a verifier wrote it."""

    answer: str = ""
    roles: tuple[str, ...] = ()
    """Role of the verifier for each vote."""

    @property
    def votes(self) -> int:
        return len(self.roles)

    @property
    def voters(self) -> frozenset[str]:
        return frozenset(self.roles)


def strongest(verdicts: Iterable[Verdict]) -> Rival:
    """The rival with most verifiers, then most votes. The order of verdicts and votes does not matter."""
    return max(rivals(verdicts), key=lambda rival: (len(rival.voters), rival.votes), default=Rival())


def rivals(verdicts: Iterable[Verdict]) -> list[Rival]:
    """Every answer other than the key, with its votes. The order of verdicts and votes does not matter."""
    against = sorted((answer, verdict.role) for verdict in verdicts for answer in wrong(verdict))
    groups: list[list[tuple[str, str]]] = []
    for cast in against:
        same = [group for group in groups if any(agree(cast[0], other) for other, _ in group)]
        groups = [group for group in groups if group not in same]
        groups.append(sorted([cast, *(other for group in same for other in group)]))
    return [Rival(group[0][0], tuple(role for _, role in group)) for group in sorted(groups)]


def wrong(verdict: Verdict) -> list[str]:
    """A verifier's blind answers that are not the key, in the order of the attempts."""
    return [vote.answer for vote in verdict.votes if vote.answer is not None and vote.agrees == "no"]


def agree(one: str, other: str) -> bool:
    """Whether two blind answers are the same, by the rules that need no process of their own."""
    return _forms(one) == _forms(other) or _same_number(one, other)


def _forms(answer: str) -> Sequence[str]:
    """Answers without a word in them have no text form; case tells `x` from `X` in those that are one letter."""
    words = text_form(answer)
    return (words,) if len(words) > 1 and words.replace(" ", "").isalpha() else ("", math_form(answer))


def _same_number(one: str, other: str) -> bool:
    left, right = read_number(one), read_number(other)
    if left is None or right is None:
        return False
    return "yes" in (compare_numbers(left, right), compare_numbers(right, left))
