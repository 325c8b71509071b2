"""Thresholds, the evidence to request, and what a ledger says where nobody knows the truth."""

from collections import Counter
from dataclasses import replace

import pytest

from schemas.flow import VERIFIERS
from schemas.item import Problem, Verdict, Vote
from schemas.outcomes import EvidenceKind
from shared.stats.belief_estimation import estimate, wrong_share
from shared.stats.belief_model import Evidence, JudgeRates, JudgeResult, Parameters, Votes
from shared.stats.evidence_choice import Limits, Offer, choose_evidence
from shared.stats.item_belief import possible_evidence
from shared.stats.ledger import Audits, Observation, Proportion
from tests.bench.belief.grid import FOUR, run
from tests.bench.belief.hard_policies import ByBelief, judges_alone, outcome, tiers
from tests.bench.belief.hard_table import true_parameters
from tests.bench.belief.hard_world import World, cases
from tests.bench.belief.requested_evidence import RequestsEvidence
from tests.bench.belief.vote_tree import sequential_tree, until_hit_tree
from tests.bench.belief.votes_only import Forecast, Rule


@pytest.mark.parametrize(
    ("rho", "expected"),
    [(0.0, (0.12, 0.42, 0.43)), (0.3, (0.10, 0.27, 0.69)), (0.6, (0.07, 0.14, 0.72))],
)
def test_the_published_table_comes_out_of_this_code(rho: float, expected: tuple[float, float, float]) -> None:
    """Hard problems kept by `verified`, by `verified` or `plausible`, and by belief ≥ 0.96; judges let 3 % through."""
    drawn, parameters = cases(World(0.1, rho, 0.5), 4000, 16, f"table {rho}"), true_parameters(World(0.1, rho, 0.5))
    rule = Rule(8) if rho == 0 else Rule(16, reject_below=0.5, refusals_reject=True)
    policies = (tiers(["verified"]), tiers(["verified", "plausible"]), ByBelief(parameters, 0.96, rule))
    kept = [outcome(drawn, list(map(policy, drawn))) for policy in policies]
    # Two standard errors of a share of the 1,600 hard ones.
    assert [one.hard_kept for one in kept] == pytest.approx(expected, abs=0.03)
    assert kept[2].wrong_keys < 0.025
    alone = outcome(drawn, list(map(judges_alone, drawn)))
    assert (alone.hard_kept, alone.wrong_keys) == pytest.approx((0.9, 0.03), abs=0.015)


@pytest.mark.parametrize("world", FOUR)
def test_belief_that_learns_keeps_wrong_keys_below_its_target(world: World) -> None:
    found = run(world, 0)
    assert found.wrong_ok
    assert found.kept_ok


@pytest.mark.parametrize("attempts", [None, 4])
def test_a_threshold_is_the_smallest_that_meets_its_target(attempts: int | None) -> None:
    tree = until_hit_tree(attempts) if attempts else sequential_tree(8)
    parameters = Parameters(wrong_keys=0.1, judge=JudgeRates(0.7))
    forecast = Forecast(tree, Rule(), parameters, parameters, at_end=bool(attempts))
    thresholds = [forecast.threshold(target) for target in (0.005, 0.01, 0.02, 0.05)]
    assert all(threshold is not None for threshold in thresholds)
    assert thresholds == sorted(thresholds, reverse=True)  # type: ignore[type-var]
    for target, threshold in zip((0.005, 0.01, 0.02, 0.05), thresholds, strict=True):
        assert forecast.accepted(threshold or 0).wrong_keys <= target
    assert forecast.accepted((thresholds[2] or 0) - 0.01).wrong_keys > 0.02


def test_a_target_that_no_threshold_meets_has_none() -> None:
    hopeless = Parameters(wrong_keys=0.4, judge=JudgeRates(0.05)).with_(error_agreement=0.6)
    assert Forecast(sequential_tree(8), Rule(), hopeless, hopeless).threshold(0.02) is None


def test_evidence_is_requested_where_it_decides_most_for_its_cost() -> None:
    parameters, split = Parameters(wrong_keys=0.1), Evidence(Votes((1,), ((2,),)))
    vote, judge, third = map(Offer, EvidenceKind)
    assert choose_evidence(split, parameters, {vote: 1.0, judge: 1.0, third: 1.0}) == judge
    never_refuses = replace(parameters, judge=JudgeRates(0.0))
    assert choose_evidence(split, never_refuses, {vote: 1.0, judge: 1.0, third: 1.0}) == third
    assert choose_evidence(split, never_refuses, {vote: 1.0, judge: 1.0, third: 100.0}) == vote


def test_a_ledger_without_truth_gives_the_parameters_of_its_world() -> None:
    world = World(0.2, 0.3, 0.5)
    drawn = cases(world, 2000, 8, "ledger")
    ends = list(map(ByBelief(Parameters(), 0.95, Rule()), drawn))
    observed = Counter(Observation(end.evidence) for end in ends)
    found = estimate(observed, Audits({"nothing": Proportion(205, 400)}, {}))
    truth = {"wrong_keys": 0.2, "error_agreement": 0.3, "catch": 0.5}
    for name, value in truth.items():
        assert found.intervals[name].low95 <= value <= found.intervals[name].high95
        assert found.intervals[name].mean == pytest.approx(value, abs=0.05)
    assert found.assumed == ("false_alarm", "adjudicator")
    accepted = [(case, end) for case, end in zip(drawn, ends, strict=True) if end.accepted]
    share = wrong_share(found, Counter(Observation(end.evidence) for _, end in accepted))
    assert share.low95 <= sum(not case.right for case, _ in accepted) / len(accepted) <= share.high95


@pytest.mark.parametrize("says_neither", [False, True])
def test_a_ledger_counts_what_adjudicators_chose(says_neither: bool) -> None:
    """They decide how long votes are requested, and what "neither" says depends on how readily they say it."""
    drawn = cases(World(0.2, 0.6, 0.0), 3000, 8, "adjudicated")
    ends = list(map(RequestsEvidence(Parameters(), 0.97, Limits(8, 4), says_neither=says_neither), drawn))
    audits = Audits({"nothing": Proportion(0, 400)}, {}, Proportion(800, 1000))
    found = estimate(Counter(Observation(end.evidence) for end in ends), audits)
    wrong = sum(not case.right for case in drawn) / len(drawn)
    assert found.intervals["wrong_keys"].mean == pytest.approx(wrong, abs=0.03)
    assert found.intervals["error_agreement"].mean == pytest.approx(0.6, abs=0.03)
    accepted = [(case, end) for case, end in zip(drawn, ends, strict=True) if end.accepted]
    share = wrong_share(found, Counter(Observation(end.evidence) for _, end in accepted))
    assert share.low95 <= sum(not case.right for case, _ in accepted) / len(accepted) <= share.high95


def test_answers_that_nobody_could_compare_do_not_count_as_agreement() -> None:
    """Rules cannot tell whether two words mean the same; the panel takes them for one rival, an estimate does not."""
    problem = Problem(statement="", answer="meadow", answer_type="text", rationale="")
    observed = Counter[Observation]()
    for case in cases(World(0.1, 0.3, 0.5), 1500, 2, "words"):
        names = {0: "river", 1: "forest", 2: "valley", case.key: "meadow"}
        answers = [names.get(answer, f"hill{'abcdefgh'[answer % 8]}") for answer in case.votes]
        verdicts = [
            Verdict(
                role=role,
                model=role,
                problem_hash="",
                votes=(Vote(answer=answer, agrees="yes" if answer == "meadow" else "no", method="text"),),
            )
            for role, answer in zip(VERIFIERS, answers, strict=True)
        ]
        if one := Observation.of(possible_evidence(verdicts, problem), None):
            observed[one] += 1
    found = estimate(observed, verifiers_differ=True).intervals
    assert found["error_agreement"].low95 <= 0.3 <= found["error_agreement"].high95
    assert found["dependence"].low95 < 0.02


def test_without_anything_counted_the_defaults_hold() -> None:
    found = estimate({})
    assert found.assumed == ("wrong_keys", "error_agreement", "catch", "false_alarm", "adjudicator")
    assert found.parameters == found.cautious == Parameters()


def test_labels_of_people_and_what_a_judge_saw_count() -> None:
    evidence = Evidence(Votes((1,), ((1,),)), (JudgeResult(True, "hit"),))
    audits = Audits({"hit": Proportion(10, 100), "miss": Proportion(80, 100)}, {"miss": Proportion(20, 100)})
    unknown, wrong = (estimate({Observation(evidence, label): 40}, audits) for label in (None, False))
    assert wrong.parameters.wrong_keys > 0.8 > unknown.parameters.wrong_keys
    rates = dict(unknown.parameters.judge_by_sight)
    assert rates["hit"].catch < 0.2 < 0.6 < rates["miss"].catch
    assert wrong_share(wrong, {Observation(evidence, False): 40}).mean == pytest.approx(1)


@pytest.mark.parametrize(("ability", "dependence"), [(0.0, 0.5), (-1.5, 0.0)])
def test_a_ledger_shows_verifiers_that_repeat_each_other_or_differ(ability: float, dependence: float) -> None:
    world = World(0.1, 0.3, 0.5, second_ability=ability, dependence=dependence)
    ends = map(
        ByBelief(Parameters(wrong_keys=0.1), 2.0, Rule(4, reject_below=0), apart=True), cases(world, 800, 4, "d")
    )
    found = estimate(Counter(Observation(end.evidence) for end in ends), verifiers_differ=True).intervals
    for name, value in (("ability", ability), ("dependence", dependence)):
        assert found[name].mean == pytest.approx(value, abs=0.35 if name == "ability" else 0.1)
