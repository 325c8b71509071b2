"""Measures whether two verifiers make the same errors: two names may be one model, whose verdicts are not independent.

Independent models err differently: where both are wrong, they rarely give the same wrong answer. The rate depends on
the problems, some of which have an error that many models make. So the rate of the two verifiers is compared with the
rates of each with the solver.

It detects one model behind two names that repeats itself, because it is served with little or no sampling. It does not
detect two similarly trained models that err together with the solver, nor one model behind two names whose samples vary
like those of different models. The solver only sees accepted items, which have few rival answers, so its rates are
rather too low: a suspicion is a reason to investigate, not a proof.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.flow import VERIFIERS
from schemas.item import Item
from shared.answers.rivals import agree, wrong
from shared.stats.item_belief import SOLVER
from shared.stats.wilson import wilson


@dataclass(frozen=True, slots=True)
class ErrorOverlap:
    """Two roles: the items where both were wrong, and those of them with the same wrong answer."""

    roles: tuple[str, str]
    both_wrong: int
    same: int

    @property
    def rate(self) -> float | None:
        """Share with the same wrong answer; `None` when both were never wrong."""
        return self.same / self.both_wrong if self.both_wrong else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the rate."""
        return wilson(self.same, self.both_wrong)


@dataclass(frozen=True, slots=True)
class Report:
    """The verifiers with each other, and each with the solver."""

    verifiers: ErrorOverlap
    with_solver: tuple[ErrorOverlap, ErrorOverlap]

    @property
    def suspicious(self) -> bool:
        """Whether the verifiers' interval is above both intervals with the solver."""
        return all(self.verifiers.interval[0] > other.interval[1] for other in self.with_solver)


def error_agreement(items: Iterable[Item]) -> Report:
    """Compare the first wrong answers of each role, in rows and rejected items."""
    first_wrong = [_first_wrong(item) for item in items]
    a, b = VERIFIERS
    return Report(_overlap(a, b, first_wrong), (_overlap(a, SOLVER, first_wrong), _overlap(b, SOLVER, first_wrong)))


def _first_wrong(item: Item) -> dict[str, str]:
    """The first wrong answer of each role that has one."""
    answers = {verdict.role: wrong(verdict) for verdict in item.verdicts}
    answers[SOLVER] = [one.answer for one in item.attempts if one.answer is not None and one.agrees == "no"]
    return {role: given[0] for role, given in answers.items() if given}


def _overlap(one: str, other: str, first_wrong: Iterable[dict[str, str]]) -> ErrorOverlap:
    pairs = [(wrong[one], wrong[other]) for wrong in first_wrong if one in wrong and other in wrong]
    return ErrorOverlap((one, other), len(pairs), sum(agree(*pair) for pair in pairs))
