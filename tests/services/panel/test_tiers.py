"""From two verdicts to a tier, and how a guess is distinguished from knowledge."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config.policies import Verification
from schemas.events import ItemEvent, ProblemAccepted, ProblemRejected, ProblemVerified
from schemas.item import Judgement, Problem, Verdict, Vote
from services.panel.handler import JoinVerdicts
from services.panel.tiers import POLICIES, Finding, by_evidence, by_judgements
from shared.answers.rivals import strongest
from shared.stats.guessing import MAX_P_VALUE, guess_probability, p_value
from tests.support.items import item, verdict

A, B = "verifier-a", "verifier-b"
GOOD, BAD = verdict(A).judgement, verdict(A, correct=False).judgement
RANKS = {"plausible": 2, "verified": 3, "unsolved": 1}
"""Whatever is rejected for another reason has rank 0."""


def key(answer: str = "8128") -> Problem:
    return Problem(statement="How many are there?", answer=answer, answer_type="number", rationale="")


def hit() -> Vote:
    return Vote(answer="the key", agrees="yes", method="test")


def miss(answer: str) -> Vote:
    return Vote(answer=answer, agrees="no", method="test")


NOTHING = Vote(answer=None, agrees="unsure", method="too_long")
UNSURE = Vote(answer="8128 kg", agrees="unsure", method="numeric")


def spoke(role: str, *votes: Vote, judgement: Judgement | None = GOOD, model: str | None = None) -> Verdict:
    unable = None if judgement else "gave no JSON"
    return Verdict(role=role, model=model or role, problem_hash="h", votes=votes, judgement=judgement, unable=unable)


def found(a: Verdict, b: Verdict, answer: str = "8128") -> Finding:
    return by_evidence([a, b], key(answer), ["writer"])


VOTES = st.lists(
    st.sampled_from([hit(), miss("1/2"), miss("0.5"), miss("7"), miss("seven"), UNSURE, NOTHING]), max_size=6
)
JUDGEMENTS = st.sampled_from([GOOD, GOOD, GOOD, BAD, None])
KEYS = st.sampled_from(["8128", "yes", "2", "17", r"\pi^2", "Wednesday"])
MODELS = st.sampled_from(["writer", "other"])


def spoken(role: str) -> st.SearchStrategy[Verdict]:
    return st.builds(
        lambda votes, judgement, model: spoke(role, *votes, judgement=judgement, model=model),
        *(VOTES, JUDGEMENTS, MODELS),
    )


VERDICTS = st.tuples(spoken(A), spoken(B))
often = settings(deadline=None, max_examples=500)


@given(VERDICTS, KEYS, st.sampled_from(sorted(POLICIES)), st.randoms(use_true_random=False))
@often
def test_the_order_of_verdicts_and_votes_does_not_matter(
    output: tuple[Verdict, Verdict], answer: str, policy: str, dice: random.Random
) -> None:
    shuffled = [each.with_(votes=tuple(dice.sample(each.votes, len(each.votes)))) for each in reversed(output)]
    assert POLICIES[policy](shuffled, key(answer), ["writer"]) == POLICIES[policy](output, key(answer), ["writer"])


@given(VERDICTS, KEYS)
@often
def test_more_hits_never_lower_a_tier(output: tuple[Verdict, Verdict], answer: str) -> None:
    rank = RANKS.get(str(found(*output, answer).tier), 0)
    for number in (0, 1):
        one, other = (
            each.with_(votes=(*each.votes, hit())) if at == number else each for at, each in enumerate(output)
        )
        assert RANKS.get(str(found(one, other, answer).tier), 0) >= rank


@given(VERDICTS, KEYS)
@often
def test_no_approval_makes_up_for_a_key_that_nobody_found(output: tuple[Verdict, Verdict], answer: str) -> None:
    a, b = (
        each.with_(votes=tuple(vote for vote in each.votes if vote.agrees != "yes"), judgement=GOOD, unable=None)
        for each in output
    )
    assert found(a, b, answer).tier in ("unsolved", "disputed")
    assert by_judgements([a, b], key(answer), ["writer"]).tier == "nodded", "which is what the paper's gate does"


@given(VERDICTS, KEYS)
@often
def test_what_chance_explains_is_not_believed(output: tuple[Verdict, Verdict], answer: str) -> None:
    if found(*output, answer).tier in ("verified", "plausible"):
        hits = sum(each.hits for each in output)
        assert guess_probability(answer) ** hits < 0.01
        assert (
            p_value(
                guess_probability(answer), hits, sum(len(each.votes) - each.votes.count(NOTHING) for each in output)
            )
            < MAX_P_VALUE
        )


@pytest.mark.parametrize(
    ("answer", "needed"),
    [
        *(("8128", 1), ("21", 1), (r"\frac{1}{2}", 1), ("0.5", 1), ("(1, 2)", 1), ("20", 2), ("-17", 2), ("May", 2)),
        *(("3", 3), ("0", 3), ("-1", 3), ("$2$", 3), ("Wednesday", 3), ("B", 4), ("Yes.", 7), (r"\text{true}", 7)),
    ],
)
def test_an_answer_that_is_easily_guessed_needs_more_hits(answer: str, needed: int) -> None:
    tiers = [found(spoke(A, *[hit()] * hits), spoke(B), answer).tier for hits in range(1, 9)]
    assert tiers == ["unsolved"] * (needed - 1) + ["plausible"] * (9 - needed)


@pytest.mark.parametrize(
    ("a", "b", "answer", "votes", "voters"),
    [
        ("1/2", "0.5", "0.5", 2, 2),
        (r"\frac{1}{2}", "$1/2$", "$1/2$", 2, 2),
        ("1.4142", "1.41421", "1.4142", 2, 2),
        ("1,000", "1000", "1,000", 2, 2),
        (r"\sqrt{2} ", r"\sqrt 2", r"\sqrt 2", 2, 2),
        ("The Hague", "the hague.", "The Hague", 2, 2),
        (r"(1,\ 2)", "(1, 2)", "(1, 2)", 2, 2),
        ("7", "8", "7", 1, 1),
        ("x", "X", "X", 1, 1),
        ("3 cm", "3 m", "3 cm", 1, 1),
    ],
)
def test_rivals_that_say_the_same_are_one(a: str, b: str, answer: str, votes: int, voters: int) -> None:
    for verdicts in ([spoke(A, miss(a)), spoke(B, miss(b))], [spoke(B, miss(b)), spoke(A, miss(a))]):
        rival = strongest(verdicts)
        assert (rival.votes, len(rival.voters)) == (votes, voters)
        assert rival.answer == answer or voters == 1


@pytest.mark.parametrize(
    ("a", "b", "tier", "reason"),
    [
        (spoke(A, hit()), spoke(B, hit()), "verified", "verified"),
        (spoke(A, hit()), spoke(B, miss("7"), NOTHING), "plausible", "plausible"),
        (spoke(A, hit(), model="writer"), spoke(B, NOTHING), "unsolved", "unsolved"),
        (spoke(A, hit(), miss("7"), hit(), model="writer"), spoke(B, NOTHING), "plausible", "plausible"),
        (spoke(A, hit(), NOTHING, model="writer"), spoke(B, hit()), "verified", "verified"),
        (spoke(A, miss("7"), hit()), spoke(B, miss("7"), hit(), hit()), "disputed", "key_disputed"),
        (spoke(A, miss("7"), miss("7")), spoke(B, hit()), "disputed", "key_disputed"),
        (spoke(A, miss("7"), miss("8")), spoke(B, hit()), "plausible", "plausible"),
        (spoke(A, hit()), spoke(B, hit(), judgement=BAD), None, "wrong_key"),
        (spoke(A, hit()), spoke(B, hit(), judgement=None), None, "unable"),
        (spoke(A, hit(), judgement=BAD), spoke(B, hit(), judgement=None), None, "wrong_key"),
        (spoke(A, miss("7")), spoke(B, miss("7"), judgement=None), "disputed", "key_disputed"),
    ],
)
def test_each_tier(a: Verdict, b: Verdict, tier: str | None, reason: str) -> None:
    assert (found(a, b).tier, found(a, b).reason) == (tier, reason)


def test_the_reason_quotes_a_formula_as_it_is() -> None:
    disputed = found(spoke(A, miss(r"\frac{1}{2}")), spoke(B, miss(r"\frac{1}{2}")))
    assert disputed.detail == r"2 blind votes for “\frac{1}{2}”, 0 for the key"


def test_under_the_papers_policy_two_approvals_are_needed_and_enough() -> None:
    assert by_judgements([spoke(A, miss("7")), spoke(B, miss("7"))], key(), ()).tier == "nodded"
    assert by_judgements([spoke(A, hit()), spoke(B, hit(), judgement=BAD)], key(), ()).reason == "wrong_key"
    assert by_judgements([spoke(A, hit()), spoke(B, hit(), judgement=None)], key(), ()).reason == "unable"
    both = ("nodded",)
    assert Verification.model_validate({"policy": "paper"}).accept == {"sft": both, "rl": both}
    chosen = {"sft": ["nodded"], "rl": []}
    assert Verification.model_validate({"policy": "paper", "accept": chosen}).accept == {"sft": both, "rl": ()}
    assert Verification().accept["sft"] == ("verified",)


@pytest.mark.parametrize(("policy", "kind"), [("evidence", ProblemRejected), ("paper", ProblemAccepted)])
def test_the_panel_decides_by_the_plans_policy_and_not_by_arrival(policy: str, kind: type) -> None:
    made, requested = item(1)
    fresh = made.with_(verdicts=(), tier=None)
    output = [spoke(A, miss("7")), spoke(B, miss("7"))]
    for order in (output, output[::-1]):
        join = JoinVerdicts({"verified", "plausible", "nodded"}, policy)
        first, second = (ProblemVerified.of(requested, each.role, fresh, verdict=each) for each in order)
        case, _, _ = join(None, first)
        case, [decision], rest = join(case, second)
        assert type(decision) is kind
        assert isinstance(decision, ItemEvent)
        assert [each.role for each in decision.item.verdicts] == [A, B]
        repeated = ProblemVerified.of(requested, A, fresh, verdict=spoke(A, hit(), hit()))
        assert join(case, repeated) == (case, [decision], rest)
        assert join(rest, repeated) == (rest, [], rest)


@pytest.mark.parametrize(("reject_easy", "reason"), [(False, None), (True, "too_easy")])
def test_an_opinion_on_difficulty_rejects_only_if_the_plan_says_so(reject_easy: bool, reason: str | None) -> None:
    made, requested = item(1)
    fresh = made.with_(verdicts=(), tier=None)
    easy = verdict(A, hard_enough=False).judgement
    join = JoinVerdicts({"verified"}, reject_easy=reject_easy)
    output = (spoke(A, hit(), judgement=easy), spoke(B, hit()))
    first, second = (ProblemVerified.of(requested, each.role, fresh, verdict=each) for each in output)
    _, [decision], _ = join(join(None, first)[0], second)
    assert isinstance(decision, ProblemAccepted | ProblemRejected)
    assert getattr(decision, "reason", None) == reason
    assert [each.judgement and each.judgement.hard_enough for each in decision.item.verdicts] == [False, True]
