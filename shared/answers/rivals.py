"""The blind answers that speak against the key, grouped by what they say: `1/2` and `0.5` are one rival.

The rules are those of the graders, without algebra and without a process of their own. Two answers that they cannot
tell apart count as one rival with two votes, since doubt counts against the key, until a verifier's comparisons of both
with a later answer tell them apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from schemas.item import Agreement, Verdict
from shared.answers.guard import LONGEST
from shared.answers.rules.decide import decide

Compared = Mapping[frozenset[str | None], bool]
"""Pair of answers → whether they are the same."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One answer other than the key, as a verifier wrote it."""

    answer: str = ""
    roles: tuple[str, ...] = ()
    """Role of the verifier for each vote."""
    answers: tuple[str, ...] = ()
    """The answers as verifiers wrote them, for each vote."""

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
    verdicts = list(verdicts)
    against = sorted((answer, verdict.role) for verdict in verdicts for answer in wrong(verdict))
    compared = _compared(verdicts)
    groups: list[list[tuple[str, str]]] = []
    for vote in against:
        same = [group for group in groups if any(_same_rival(vote[0], other, compared) for other, _ in group)]
        groups = [group for group in groups if group not in same]
        groups.append(sorted([vote, *(other for group in same for other in group)]))
    return [
        Rival(group[0][0], tuple(role for _, role in group), tuple(answer for answer, _ in group))
        for group in sorted(groups)
    ]


def wrong(verdict: Verdict) -> list[str]:
    """A verifier's blind answers that are not the key, in the order of the attempts."""
    return [vote.answer for vote in verdict.votes if vote.answer is not None and vote.agrees == "no"]


def _compared(verdicts: Iterable[Verdict]) -> Compared:
    """What verifiers found when they compared a later answer with earlier ones."""
    votes = [vote for verdict in verdicts for vote in verdict.votes if vote.answer is not None]
    same = {(vote.answer, vote.rival): True for vote in votes if vote.rival}
    other = {(vote.answer, rival): False for vote in votes for rival in vote.other_than or ()}
    return {frozenset(pair): result for pair, result in (other | same).items() if len(set(pair)) == 2}


def _same_rival(one: str, other: str, compared: Compared) -> bool:
    """Whether two answers are one rival: by what a verifier found, also of both with a third answer, else by rules."""
    if one == other:
        return True
    if (known := compared.get(frozenset((one, other)))) is not None:
        return known
    thirds = {answer for pair in compared for answer in pair} - {one, other}
    results = [{compared.get(frozenset((third, each))) for each in (one, other)} for third in thirds]
    if {True, False} in results:
        return False
    return {True} in results or may_agree(one, other)


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
