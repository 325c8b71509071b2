"""What a rule can refuse, and what it must let through."""

from uuid import UUID

import pytest

from schemas.events import ProblemDrafted, ProblemRejected, ProblemScreened
from schemas.item import Problem
from services.screening.form import flaw
from services.screening.handler import ScreenProblem
from tests.scripted import PROBLEM, event, item


class DictRegister:
    """A register in memory."""

    def __init__(self) -> None:
        self.owners: dict[str, UUID] = {}

    async def claim(self, key: str, owner: UUID) -> UUID:
        return self.owners.setdefault(key, owner)


@pytest.mark.parametrize(
    ("reason", "statement", "answer"),
    [
        ("empty", "", "4"),
        ("empty", PROBLEM.statement, " "),
        ("too_short", "What is it?", "4"),
        ("too_long", "Compute this. " * 1000, "4"),
        ("answer_too_long", PROBLEM.statement, "4" * 301),
        ("multiple_choice", "For the group $G$ defined above, which of the following is its order?", "4"),
        ("multiple_choice", "Find the order of the group: (A) $2$ (B) $3$ (C) $4$ (D) $5$ elements.", "4"),
        ("proof", "Let $M$ be a closed manifold. Prove that its Euler characteristic is zero.", "0"),
        ("proof", PROBLEM.statement, "Q.E.D."),
        ("leak", "Compute the order of the group defined by this. Recall that the answer is $42$.", "42"),
        ("leak", r"Compute the order of the group $G$ and write it as \boxed{42} at the end.", "42"),
        ("leak", r"Given $x = \sqrt{2} + \zeta(3) - \ln(17)$, simplify it fully.", r"\sqrt{2} + \zeta(3) - \ln(17)"),
    ],
)  # fmt: skip
async def test_refused_with_its_reason(reason: str, statement: str, answer: str) -> None:
    problem = PROBLEM.with_(statement=statement, answer=answer)
    [rejected] = await ScreenProblem(DictRegister())(event(ProblemDrafted, item(problem)))
    assert isinstance(rejected, ProblemRejected)
    assert (rejected.reason, rejected.service) == (reason, "screening")
    assert rejected.detail


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("Suppose the answer is unique. Determine the number of spanning trees of $K_{4}$ that avoid an edge.", "8"),
        ("Suppose that the solution is 4-periodic. Compute the number of its zeros in one period.", "42"),
        ("Name the mechanism by which the ledger described above orders its blocks, in lower case.", "proof of work"),
        ("Axioms (A) and (B) hold. Compute the rank of the group $G$ they define, as an integer.", "3"),
        ("A theorem to improve that bound is known. Compute the constant in the improved version.", "17"),
    ],
)
def test_no_false_alarm(statement: str, answer: str) -> None:
    assert flaw(Problem(statement=statement, answer=answer, answer_type="number", rationale="")) is None


async def test_a_repeat_names_its_twin_and_a_redelivery_is_no_repeat() -> None:
    screen = ScreenProblem(DictRegister())
    first, twin = item(), item(PROBLEM.with_(statement=PROBLEM.statement.upper()), index=1)
    for _ in range(2):
        [screened] = await screen(event(ProblemDrafted, first))
        assert isinstance(screened, ProblemScreened)
        assert screened.item.fingerprint
    [rejected] = await screen(event(ProblemDrafted, twin))
    assert isinstance(rejected, ProblemRejected)
    assert rejected.reason == "repeat"
    assert str(first.id) in rejected.detail


async def test_what_is_refused_for_its_form_keeps_nobody_out() -> None:
    register = DictRegister()
    await ScreenProblem(register)(event(ProblemDrafted, item(PROBLEM.with_(answer=""))))
    assert not register.owners
