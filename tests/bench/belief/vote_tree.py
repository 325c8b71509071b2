"""Every combination of votes that a way of requesting votes can lead to, as a tree."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from shared.stats.belief_model import KEY, Votes
from shared.stats.evidence_choice import with_vote


class Branch(NamedTuple):
    """A further vote: in how many ways it leads to these votes, and where they are in the tree."""

    ways: int
    to: int


class Node(NamedTuple):
    votes: Votes
    branches: tuple[Branch, ...]


NextVoter = Callable[[Votes], int | None]
"""Votes so far → index of the verifier that votes next; `None`: no more votes are requested."""


def sequential(max_votes: int) -> NextVoter:
    """Votes one by one, of verifiers that the model cannot tell apart."""
    return lambda votes: 0 if votes.total < max_votes else None


def until_hit(attempts: int) -> NextVoter:
    """Each of two verifiers attempts so often, or until it hits the key."""

    def next_voter(votes: Votes) -> int | None:
        made = votes.by_verifier
        return next((index for index in (0, 1) if not votes.key[index] and made[index] < attempts), None)

    return next_voter


def grow(next_voter: NextVoter, verifiers: int = 1) -> tuple[Node, ...]:
    """Every combination of votes that can come up, those with fewer votes first."""
    start = Votes((0,) * verifiers)
    nodes, places, votes = list[Node](), {start: 0}, [start]
    for each in votes:  # it grows while it is walked
        branches = []
        for further, ways in _next_votes(each, next_voter(each)).items():
            if further not in places:
                places[further] = len(votes)
                votes.append(further)
            branches.append(Branch(ways, places[further]))
        nodes.append(Node(each, tuple(branches)))
    return tuple(nodes)


def _next_votes(votes: Votes, voter: int | None) -> dict[Votes, int]:
    """What one more vote may lead to, and in how many ways."""
    ways = dict[Votes, int]()
    if voter is None:
        return ways
    one = tuple(int(index == voter) for index in range(len(votes.key)))
    for index in (KEY, *range(len(votes.rivals) + 1)):
        further = Votes(*with_vote(votes, index, one))
        further = Votes(further.key, tuple(sorted(further.rivals, reverse=True)))
        ways[further] = ways.get(further, 0) + 1
    return ways


@lru_cache(maxsize=16)
def sequential_tree(max_votes: int) -> tuple[Node, ...]:
    """The tree of votes requested one by one."""
    return grow(sequential(max_votes))


@lru_cache(maxsize=16)
def until_hit_tree(attempts: int) -> tuple[Node, ...]:
    """The tree of two verifiers that stop at their first hit."""
    return grow(until_hit(attempts), verifiers=2)
