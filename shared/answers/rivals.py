"""The blind answers that speak against the key, grouped by what they say: `1/2` and `0.5` are one rival.

The rules are those of the graders, without algebra and without a process of their own. Two answers that they cannot
tell apart count as one rival with two votes, since doubt counts against the key, until a verifier's comparisons of both
with a later answer tell them apart. Estimates over many items count every grouping that is possible.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from schemas.item import Agreement, Verdict
from shared.answers.guard import LONGEST
from shared.answers.rules.decide import decide

Compared = Mapping[frozenset[str | None], bool]
"""Pair of answers → whether they are the same."""
Group = list[tuple[str, str]]
"""Answer and role of each vote."""
MOST_OPEN = 4
"""Answers of which some pair stays open, up to which every way to group them is counted: at most 15."""


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
    return _as_rivals(_groups(verdicts, _compared(verdicts), ("yes", "unsure")))


def possible_rivals(verdicts: Iterable[Verdict]) -> list[list[Rival]]:
    """Every way to group these answers that no comparison excludes: one, where comparisons decide all pairs.

    Where more than `MOST_OPEN` answers have a pair that stays open, two: all of them apart, and as `rivals` has them.
    """
    verdicts = list(verdicts)
    compared = _compared(verdicts)
    certain = _groups(verdicts, compared, {"yes"})
    is_open = [any(_may_join(one, other, compared) for other in certain if other is not one) for one in certain]
    if sum(is_open) > MOST_OPEN:
        return [_as_rivals(certain), rivals(verdicts)]
    return [_as_rivals(groups) for groups in _partitions(certain, compared)]


def _groups(verdicts: Iterable[Verdict], compared: Compared, same: Collection[Agreement]) -> list[Group]:
    """Group votes for wrong answers: those whose answers compare as one of `same`, also by way of others."""
    groups = list[Group]()
    for vote in sorted((answer, verdict.role) for verdict in verdicts for answer in wrong(verdict)):
        joined = [group for group in groups if any(_relation(vote[0], other, compared) in same for other, _ in group)]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([vote, *(other for group in joined for other in group)]))
    return groups


def _partitions(groups: Sequence[Group], compared: Compared) -> Iterator[list[Group]]:
    """Every way to join some of the groups."""
    if not groups:
        yield []
        return
    first, *others = groups
    for blocks in _partitions(others, compared):
        yield [first, *blocks]
        for index, block in enumerate(blocks):
            if _may_join(first, block, compared):
                yield [*blocks[:index], sorted([*first, *block]), *blocks[index + 1 :]]


def _may_join(one: Group, other: Group, compared: Compared) -> bool:
    return all(_relation(left, right, compared) != "no" for left, _ in one for right, _ in other)


def _as_rivals(groups: Iterable[Group]) -> list[Rival]:
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


def _relation(one: str, other: str, compared: Compared) -> Agreement:
    """Whether two answers are one rival: by what a verifier found, also of both with a third answer, else by rules."""
    if one == other:
        return "yes"
    if (known := compared.get(frozenset((one, other)))) is not None:
        return "yes" if known else "no"
    thirds = {answer for pair in compared for answer in pair} - {one, other}
    results = [{compared.get(frozenset((third, each))) for each in (one, other)} for third in thirds]
    if {True, False} in results:
        return "no"
    return "yes" if {True} in results else _compare(one, other)


def agree(one: str, other: str) -> bool:
    """Whether two answers are the same for sure."""
    return _compare(one, other) == "yes"


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
