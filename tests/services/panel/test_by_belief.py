"""Decisions by belief, where the plan sets a target for wrong keys, and what else becomes of belief then."""

import re

import pytest

from schemas.belief import Belief
from schemas.config.plan import Plan
from schemas.config.policies import Verification, View
from schemas.events import ItemEvent, ProblemAccepted, ProblemRejected, ProblemVerified
from schemas.item import Judgement, Verdict, Vote
from services.aggregator.policy import assign_views
from services.panel.by_belief import by_belief
from services.panel.handler import JoinVerdicts
from shared.stats.item_belief import DEFAULTS, complete_belief
from shared.stats.view_thresholds import view_thresholds
from tests.support.items import item, verdict

A, B = "verifier-a", "verifier-b"
GOOD = verdict(A).judgement
HIT = Vote(answer="the key", agrees="yes", method="test")
TARGETS = Verification(target_wrong={"sft": 0.02, "rl": 0.03})
THRESHOLDS: dict[str, float | None] = {"sft": 0.956, "rl": 0.915}


def miss(answer: str) -> Vote:
    return Vote(answer=answer, agrees="no", method="test")


def spoke(role: str, *votes: Vote, **faults: bool) -> Verdict:
    judgement = GOOD.with_(**faults) if isinstance(GOOD, Judgement) else None
    return Verdict(role=role, model=role, problem_hash="h", votes=votes, judgement=judgement)


def decide(a: Verdict, b: Verdict, verification: Verification = TARGETS) -> ItemEvent:
    made, requested = item(1)
    tiers = {tier for tiers in verification.accept.values() for tier in tiers}
    thresholds = THRESHOLDS if verification.target_wrong else {}
    join, case = JoinVerdicts(tiers, "evidence", thresholds, verification.accept), None
    for each in (b, a):
        fresh = made.with_(verdicts=(), tier=None)
        case, decisions, _ = join(case, ProblemVerified.of(requested, each.role, fresh, verdict=each))
    [decision] = decisions
    assert isinstance(decision, ItemEvent)
    return decision


def entered(decision: ItemEvent) -> tuple[str, ...]:
    return assign_views(TARGETS, decision.item.tier, True, (), decision.item.belief)


def test_a_hit_by_each_verifier_enters_every_view() -> None:
    decision = decide(spoke(A, HIT), spoke(B, miss("7"), HIT))
    assert isinstance(decision, ProblemAccepted)
    assert decision.item.tier == "verified"
    assert entered(decision) == ("sft", "rl")


def test_one_hit_among_scattered_misses_is_enough_for_every_view() -> None:
    decision = decide(spoke(A, miss("7"), HIT), spoke(B, miss("9"), miss("11"), miss("13")))
    assert isinstance(decision, ProblemAccepted)
    assert decision.item.tier == "plausible"
    assert entered(decision) == ("sft", "rl")


def test_one_hit_against_a_rival_is_enough_for_the_looser_view() -> None:
    decision = decide(spoke(A, miss("7"), HIT), spoke(B, miss("7"), miss("9")))
    assert isinstance(decision, ProblemAccepted)
    assert entered(decision) == ("rl",)


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (spoke(A, miss("7"), HIT), spoke(B, miss("7"), miss("7"), miss("7")), "key_disputed"),
        (spoke(A, miss("7")), spoke(B, miss("9"), miss("7")), "key_disputed"),
        (spoke(A, miss("7")), spoke(B, miss("9")), "unsolved"),
        (spoke(A, HIT, correct=False), spoke(B, HIT, HIT, correct=False, on_topic=False), "off_topic"),
        (spoke(A, miss("9"), correct=False), spoke(B, HIT, correct=False), "wrong_key"),
        (spoke(A, HIT), Verdict(role=B, model=B, problem_hash="h", unable="gave no JSON"), "unable"),
    ],
)
def test_a_rejection_says_what_speaks_against_the_item(a: Verdict, b: Verdict, reason: str) -> None:
    decision = decide(a, b)
    assert isinstance(decision, ProblemRejected)
    assert decision.reason == reason
    assert decision.item.belief is not None


def test_a_rejection_names_the_belief_that_the_plan_requires() -> None:
    detail = decide(spoke(A, miss("7")), spoke(B, miss("9"))).item.tier_reason
    assert re.match(r"belief 0\.\d{3} is below the 0\.915 that the plan requires; verifier-a hit 0 of 1", detail or "")
    just_below = Belief(key=0.91496, unseen=0.0, parameters="", thresholds={"rl": 0.915, "sft": None})
    finding = by_belief([spoke(A, miss("7")), spoke(B, miss("9"))], just_below, TARGETS.accept)
    assert finding.detail.startswith("belief 0.91496 is below the 0.91500 that")


def test_a_refusal_of_the_key_is_weighed_and_no_veto() -> None:
    hits = (HIT, HIT, HIT, HIT)
    assert isinstance(decide(spoke(A, *hits), spoke(B, *hits, correct=False)), ProblemAccepted)


def test_without_a_target_tiers_decide_and_belief_is_on_record() -> None:
    plausible = decide(spoke(A, miss("7"), HIT), spoke(B, miss("9")), Verification())
    disputed = decide(spoke(A, miss("7"), HIT), spoke(B, miss("7")), Verification())
    assert [one.item.tier for one in (plausible, disputed)] == ["plausible", "disputed"]
    for one in (plausible, disputed):
        assert one.item.belief is not None
        assert one.item.belief.thresholds == {}
        assert one.item.belief.key + sum(one.item.belief.rivals.values()) + one.item.belief.unseen == pytest.approx(1)


def test_an_item_of_an_older_version_gets_its_belief_when_it_is_read() -> None:
    made, _ = item(1)
    old = made.with_(verdicts=(spoke(A, HIT), spoke(B, HIT)))
    believed = complete_belief(old)
    assert believed is not None
    assert believed.key > 0.95
    assert complete_belief(old.with_(verdicts=old.verdicts[:1])) is None


def test_a_view_whose_target_cannot_be_met_takes_nothing() -> None:
    thresholds = view_thresholds(Verification(target_wrong={"sft": 1e-6}), DEFAULTS)
    assert thresholds == {"sft": None, "rl": None}
    never = Belief(key=1.0, unseen=0.0, parameters="", thresholds=thresholds)
    assert assign_views(Verification(), "verified", True, (), never) == ()


def test_the_threshold_of_a_stricter_target_is_higher() -> None:
    thresholds = view_thresholds(TARGETS, DEFAULTS)
    assert 0.9 < (thresholds["rl"] or 0) < (thresholds["sft"] or 0) < 1


def test_a_limit_of_votes_has_two_names_and_an_old_plan_keeps_its_hash() -> None:
    def plan(verification: dict[str, object]) -> Plan:
        content = {"name": "p", "rows": 1, "subjects": {"physics": {}}, "verification": verification}
        return Plan.model_validate(content)

    assert plan({"max_votes": 8}).verification.attempts_each == plan({"blind_attempts": 4}).verification.attempts_each
    assert plan({"max_votes": 7}).verification.attempts_each == 4
    with pytest.raises(ValueError, match="give max_votes or blind_attempts, not both"):
        plan({"max_votes": 8, "blind_attempts": 4})
    with pytest.raises(ValueError, match="target_wrong needs policy: evidence"):
        plan({"target_wrong": {"sft": 0.02}, "policy": "paper"})
    assert plan({}).hash == "600ac25dccb9ea3bc4aee8efb99d45c1cc65a18f5783b9b9b8c0d6171214254c"
    newer = plan({"max_votes": 8, "target_wrong": {"rl": 0.05}})
    assert Plan.model_validate_json(newer.model_dump_json()) == newer
    view: View = "rl"
    assert newer.verification.target_wrong[view] == 0.05
