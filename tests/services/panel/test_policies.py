"""What policies of verification trade, and that a check which fails is seen to fail.

The figures are arithmetic about simulated abilities; `python -m tests.bench --only policies` prints them for more
problems.
"""

from collections.abc import AsyncIterator
from math import exp

import pytest_asyncio

from services.simulator.bank import Bank
from shared.answers.grade import standard
from shared.answers.symbolic import SymbolicWorker
from shared.stats.wilson import wilson
from tests.support.verification_sim import ABLE, AlwaysApproves, Policy, Remembering, accepted, candidates, outcome

DRAWN = candidates(240, wrong=0.5, natural=0.4)
MISPRINTS = [one for one in DRAWN if not one.right and not one.natural]
VERIFIED = Policy("verified, up to 4")
APPROVALS = Policy("two nods", rests_on="paper", tiers=("nodded",))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def grader() -> AsyncIterator[Remembering]:
    worker = SymbolicWorker()
    yield Remembering(standard(worker))
    await worker.aclose()


async def test_requiring_two_first_hits_loses_hard_problems(
    grader: Remembering,
) -> None:
    gate = outcome(DRAWN, await accepted(Policy("gate", blind_attempts=1), DRAWN, grader))
    default = outcome(DRAWN, await accepted(VERIFIED, DRAWN, grader))
    assert gate.hard_kept < 0.2
    assert default.hard_kept > 2 * gate.hard_kept
    assert default.good_kept > 1.5 * gate.good_kept
    assert default.difficulty > gate.difficulty
    assert default.misprints_in == 0


async def test_judgements_alone_admit_predicted_wrong_keys_and_blind_votes_none(grader: Remembering) -> None:
    let_in = sum(await accepted(APPROVALS, MISPRINTS, grader))
    low, high = wilson(let_in, len(MISPRINTS))
    assert low <= sum(both_approve(one.problem.statement) for one in MISPRINTS) / len(MISPRINTS) <= high
    assert sum(await accepted(VERIFIED, MISPRINTS, grader)) == 0


async def test_judges_that_always_approve_pass_no_planted_key_after_blind_votes(
    grader: Remembering,
) -> None:
    nodding = Policy("votes, and a nod", tiers=("verified", "plausible"), judge=AlwaysApproves)
    assert sum(await accepted(nodding, MISPRINTS, grader)) == 0
    no_blind_step = Policy("a nod", rests_on="paper", tiers=("nodded",), judge=AlwaysApproves)
    low, _ = wilson(sum(await accepted(no_blind_step, MISPRINTS, grader)), len(MISPRINTS))
    assert low > 0.9


def both_approve(statement: str) -> float:
    """Chance that neither judge can tell: checking is easier than solving by 1."""
    problem = Bank(0).find(statement)
    assert problem is not None
    a, b = (1 / (1 + exp(ABLE.ability(name) - problem.difficulty + 1)) for name in ("sim-verifier-a", "sim-verifier-b"))
    return a * b
