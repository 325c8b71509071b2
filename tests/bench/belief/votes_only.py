"""Decisions by belief where only votes are requested: the threshold that keeps wrong keys below a target.

The threshold comes from the model itself. What a way of requesting votes can lead to is a tree of vote counts; the
model says how likely each branch is, so the share of wrong keys among what a threshold accepts is a sum, not a
simulation.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Literal, NamedTuple

from shared.stats.belief import canonical, judgement_likelihood, likelihood, weight_of_wrong
from shared.stats.belief_model import RARE_REPEAT, Evidence, JudgeResult, Parameters
from shared.stats.evidence_choice import REJECT_BELOW
from tests.bench.belief.vote_tree import Node

Decision = Literal["accept", "reject", "continue"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How votes are requested: judges first, then votes until belief leaves the band between the two bounds."""

    max_votes: int = 8
    min_votes: int = 2
    """Fewest votes before an item is accepted: one by each verifier."""
    reject_below: float = REJECT_BELOW
    refusals_reject: bool = False
    """Whether an item that a judge refuses is given up before any vote."""

    def decide(self, believed: float, votes: int, threshold: float) -> Decision:
        """After this many votes."""
        if votes >= self.min_votes and believed >= threshold:
            return "accept"
        return "reject" if believed < self.reject_below else "continue"


class Acceptance(NamedTuple):
    """Shares of all items."""

    share: float
    """Acceptance."""
    wrong: float
    """Acceptance with a wrong key."""

    @property
    def wrong_keys(self) -> float:
        """Share of wrong keys among what is accepted; 0 where nothing is."""
        return self.wrong / self.share if self.share else 0.0


@dataclass(frozen=True)
class Forecast:
    """What a rule accepts. Decisions use `parameters`; how likely everything is, `cautious` ones.

    `judges`: how many judgements come before the votes. `at_end`: decide only when no more votes are requested.
    """

    tree: tuple[Node, ...]
    rule: Rule
    parameters: Parameters
    cautious: Parameters
    judges: int = 2
    at_end: bool = False

    @cached_property
    def _chains(self) -> list[tuple[float, list[tuple[float, float, list[float]]]]]:
        """For each outcome of the judges: its chance, and by node its belief, cautious belief and branch chances."""
        chains = []
        rare = replace(self.cautious, solving=self.cautious.solving._replace(repeat=RARE_REPEAT))
        for outcome in product((True, False), repeat=self.judges):
            judgements = Evidence(judgements=tuple(JudgeResult(passed) for passed in outcome))
            if self.rule.refusals_reject and not all(outcome):
                continue
            right, wrong = judgement_likelihood(judgements, self.cautious)
            chance = (1 - self.cautious.wrong_keys) * right + self.cautious.wrong_keys * wrong
            believed = _pairs(self.tree, self.parameters, judgement_likelihood(judgements, self.parameters))
            weighed = _pairs(self.tree, rare, (right, wrong))
            nodes = []
            for index, node in enumerate(self.tree):
                ways = [branch.ways * sum(weighed[branch.to]) for branch in node.branches]
                nodes.append((_share(believed[index]), _share(weighed[index]), [way / sum(ways) for way in ways]))
            chains.append((chance, nodes))
        return chains

    def accepted(self, threshold: float) -> Acceptance:
        """With this threshold."""
        share = wrong = 0.0
        for chance, nodes in self._chains:
            masses = [chance, *[0.0] * (len(nodes) - 1)]
            for mass, node, (believed, cautious, chances) in zip(masses, self.tree, nodes, strict=True):
                decides = not node.branches or not self.at_end
                decision = self.rule.decide(believed, node.votes.total, threshold) if decides else "continue"
                if mass and decision == "accept":
                    share, wrong = share + mass, wrong + mass * (1 - cautious)
                elif mass and decision == "continue":
                    for branch, part in zip(node.branches, chances, strict=True):
                        masses[branch.to] += mass * part
        return Acceptance(share, wrong)

    def threshold(self, target: float) -> float | None:
        """τ: the smallest belief to accept from so that the share of wrong keys stays below the target.

        `None`: the target cannot be met, whatever the threshold.
        """
        levels = sorted({believed for _, nodes in self._chains for believed, _, _ in nodes})
        start = bisect_left(levels, True, key=lambda level: self.accepted(level).wrong_keys <= target)
        enough = (level for level in levels[start:] if self.accepted(level).wrong_keys <= target)
        threshold = next(enough, None)
        return threshold if threshold is not None and self.accepted(threshold).share > 0 else None


def _pairs(tree: Iterable[Node], parameters: Parameters, judgements: tuple[float, float]) -> list[tuple[float, float]]:
    """By node: weight of a right key and of a wrong one."""
    solving, (right, wrong) = parameters.solving, judgements
    pairs = []
    for node in tree:
        votes = likelihood(canonical(node.votes, solving), solving)
        of_wrong = weight_of_wrong(sum(votes.common_error), sum(votes.misprint), parameters)
        pairs.append(((1 - parameters.wrong_keys) * votes.key * right, of_wrong * wrong))
    return pairs


def _share(weights: tuple[float, float]) -> float:
    return weights[0] / sum(weights)
