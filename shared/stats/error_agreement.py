"""Do two verifiers err alike? Two names may stand for one model, and its two verdicts are then one.

Models that err on their own err differently: where both are wrong, they rarely give the same wrong answer. How rarely
depends on the problems, some of which have a slip that everybody makes. So the verifiers are measured against the
solver: is it likelier that they give the same wrong answer than that one of them and the solver do?

What it sees: one model behind two names that repeats itself, because it is served without sampling, or nearly so.
What it cannot see: two models that were trained alike and err alike together with the solver; one model under two names
whose samples scatter as widely as those of different models do. The solver is only asked about items that the panel
accepted, where rivals are few, so that its figure is rather too low than too high: a suspicion is a reason to look.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.item import Item
from shared.answers.rivals import agree, wrong
from shared.stats.wilson import wilson

VERIFIERS = ("verifier-a", "verifier-b")
SOLVER = "solver"


@dataclass(frozen=True, slots=True)
class ErrorOverlap:
    """Two roles: items where both were wrong, those where both gave the same wrong answer, and the 95 % interval."""

    roles: tuple[str, str]
    both_wrong: int
    same: int

    @property
    def rate(self) -> float | None:
        """Share of the items that both got wrong; `None` where there is none."""
        return self.same / self.both_wrong if self.both_wrong else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.same, self.both_wrong)


@dataclass(frozen=True, slots=True)
class Report:
    """The verifiers with each other, and each with the solver."""

    verifiers: ErrorOverlap
    with_solver: tuple[ErrorOverlap, ErrorOverlap]

    @property
    def suspicious(self) -> bool:
        """Whether the verifiers' interval lies above those of both with the solver."""
        return all(self.verifiers.interval[0] > other.interval[1] for other in self.with_solver)


def error_agreement(items: Iterable[Item]) -> Report:
    """How alike the wrong answers are, from rows and from rejected items alike: the first wrong answer of each role."""
    first_wrong = [_wrong(item) for item in items]
    a, b = VERIFIERS
    return Report(_overlap(a, b, first_wrong), (_overlap(a, SOLVER, first_wrong), _overlap(b, SOLVER, first_wrong)))


def _wrong(item: Item) -> dict[str, str]:
    """The first wrong answer by role; without those that gave none."""
    found = {verdict.role: wrong(verdict) for verdict in item.verdicts}
    found[SOLVER] = [one.answer for one in item.attempts if one.answer is not None and one.agrees == "no"]
    return {role: answers[0] for role, answers in found.items() if answers}


def _overlap(one: str, other: str, first_wrong: Iterable[dict[str, str]]) -> ErrorOverlap:
    pairs = [(wrong[one], wrong[other]) for wrong in first_wrong if one in wrong and other in wrong]
    return ErrorOverlap((one, other), len(pairs), sum(agree(*pair) for pair in pairs))
