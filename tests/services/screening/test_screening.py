"""What a rule can refuse, and what it must let through."""

from uuid import UUID

import pytest

from schemas.events import ProblemDrafted, ProblemRejected, ProblemScreened
from schemas.item import Problem
from services.screening.form import find_flaw
from services.screening.handler import ScreenProblem
from shared.ports import Match, NearDuplicateIndex, TextFingerprint
from shared.text.contamination import Benchmarks
from shared.text.overlap import Overlaps
from tests.support.duplicates import bank
from tests.support.fake_models import PROBLEM, event, item


class Unlike:
    """Finds every problem new, and keeps the owners of all queries. The index itself has tests on a real Valkey."""

    def __init__(self) -> None:
        self.owners: list[UUID] = []

    async def add(self, sketch: TextFingerprint, owner: UUID) -> Match:
        self.owners.append(owner)
        return Match("new")

    async def candidates(self, sketch: TextFingerprint, owner: UUID) -> list[tuple[UUID, str]]:
        return []


def screen(twins: NearDuplicateIndex, **benchmarks: list[str]) -> ScreenProblem:
    return ScreenProblem(twins, Benchmarks({name: Overlaps(items) for name, items in benchmarks.items()}))


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
        ("answer_too_long", PROBLEM.statement, "It is the cyclic group. This follows from the sequence of the pair."),
        ("several_answers", "Let $G$ be the group above. (a) Compute its centre. (b) Determine its rank.", "4"),
        ("several_answers", "For the ring $R$ with $x^2=0$: i) find its units. ii) Find its ideals.", "4"),
        ("not_self_contained", "As in the previous problem, let $G$ act on the sphere. Find the rank of $G$.", "4"),
        ("not_self_contained", "Three forces act on a beam, see figure 2. Find the largest of them in newtons.", "4"),
        ("leak", "Compute the order of the group defined by this. Recall that the answer is $42$.", "42"),
        ("leak", r"Compute the order of the group $G$ and write it as \boxed{42} at the end.", "42"),
        ("leak", r"Given $x = \sqrt{2} + \zeta(3) - \ln(17)$, simplify it fully.", r"\sqrt{2} + \zeta(3) - \ln(17)"),
    ],
)  # fmt: skip
async def test_refused_with_its_reason(reason: str, statement: str, answer: str) -> None:
    problem = PROBLEM.with_(statement=statement, answer=answer)
    [rejected] = await screen(Unlike())(event(ProblemDrafted, item(problem)))
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
        ("A ring (a) is commutative and (b) has a unit with $u^2=1$. Find the number of its idempotents.", "3"),
        ("A routine runs these steps: 1. Find the median. 2. Compute the rest. Count the comparisons it makes.", "3"),
        ("Consider the figure eight knot. Find the genus of its complement's minimal Seifert surface.", "1"),
        ("Name the composer who wrote the cycle of forty-eight preludes and fugues described above.", "J. S. Bach"),
        ("A theorem to improve that bound is known. Compute the constant in the improved version.", "17"),
    ],
)
def test_no_false_alarm(statement: str, answer: str) -> None:
    assert find_flaw(Problem(statement=statement, answer=answer, answer_type="number", rationale="")) is None


async def test_what_is_refused_for_its_form_or_known_keeps_nobody_out() -> None:
    twins = Unlike()
    drafted = [event(ProblemDrafted, item(PROBLEM.with_(answer=""))), event(ProblemDrafted, item())]
    for one in drafted:
        [rejected] = await screen(twins, known=[PROBLEM.statement])(one)
        assert isinstance(rejected, ProblemRejected)
    assert twins.owners == []
    [screened] = await screen(twins)(drafted[1])
    assert isinstance(screened, ProblemScreened)
    assert screened.item.fingerprint
    assert twins.owners == [screened.item.id]


async def test_a_contaminated_problem_names_benchmark_item_and_score() -> None:
    edited = "Answer with care. " + PROBLEM.statement.replace("$L", "$M").replace("does it have", "are there then")
    contaminated = event(ProblemDrafted, item(PROBLEM.with_(statement=edited)))
    [rejected] = await screen(Unlike(), other=["What is a lens?"], math_test=["", PROBLEM.statement])(contaminated)
    assert isinstance(rejected, ProblemRejected)
    assert (rejected.reason, rejected.service) == ("contaminated", "screening")
    assert rejected.detail.startswith("item 2 of math_test: ")
    assert "% contained" in rejected.detail


def test_no_problem_of_the_bank_has_a_flaw() -> None:
    assert [found for one in bank() if (found := find_flaw(one))] == []
