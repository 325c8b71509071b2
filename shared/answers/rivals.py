"""The blind answers that speak against the key, grouped by what they say: `1/2` and `0.5` are one rival.

The rules are those of the graders, without algebra and without a process of their own. Two answers that they cannot
tell apart count as one rival with two votes: doubt counts against the key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from schemas.item import Agreement, Verdict
from shared.answers.guard import LONGEST
from shared.answers.rules.decide import decide


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
    for vote in against:
        same = [group for group in groups if any(may_agree(vote[0], other) for other, _ in group)]
        groups = [group for group in groups if group not in same]
        groups.append(sorted([vote, *(other for group in same for other in group)]))
    return [Rival(group[0][0], tuple(role for _, role in group)) for group in sorted(groups)]


def wrong(verdict: Verdict) -> list[str]:
    """A verifier's blind answers that are not the key, in the order of the attempts."""
    return [vote.answer for vote in verdict.votes if vote.answer is not None and vote.agrees == "no"]


def agree(one: str, other: str) -> bool:
    """Whether two answers are the same for sure."""
    return _compare(one, other) == "yes"


def may_agree(one: str, other: str) -> bool:
    """Whether two answers are the same, or cannot be distinguished."""
    return _compare(one, other) != "no"


@lru_cache(maxsize=4096)
def _compare(one: str, other: str) -> Agreement:
    """Either may be rounded: it is the same answer if one of them, taken as the key, agrees with the other."""
    if one == other:
        return "yes"
    if max(len(one), len(other)) > LONGEST:
        return "unsure"
    result = {decide(*pair, "").result.agrees for pair in ((one, other), (other, one))}
    texts = (
        {decide(*pair, "text").result.agrees for pair in ((one, other), (other, one))} if "yes" not in result else set()
    )
    if "yes" in result or ("no" not in result and "yes" in texts):
        return "yes"
    return "no" if "no" in result else "unsure"
