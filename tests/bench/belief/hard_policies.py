"""Policies of verification in the hard world: the tiers, judges alone, belief."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from schemas.item import Judgement, Problem, Verdict, Vote
from services.panel.tiers import by_evidence
from shared.stats.belief import belief
from shared.stats.belief_model import KEY, Adjudication, Evidence, JudgeResult, Parameters, Votes
from tests.bench.belief.hard_world import Case
from tests.bench.belief.votes_only import Decision, Rule

KEY_TEXT = "8484"
"""A key that nobody guesses."""
JUDGED = {
    both: tuple(JudgeResult(passed) for passed in both)
    for both in ((True, True), (True, False), (False, True), (False,) * 2)
}


class Verified(NamedTuple):
    """How a policy ended: what it decided, on what evidence, after how many blind calls."""

    accepted: bool
    evidence: Evidence
    calls: int


Policy = Callable[[Case], Verified]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy makes of cases; shares between 0 and 1."""

    good_kept: float
    hard_kept: float
    wrong_keys: float
    """Among what is accepted; 0 where nothing is."""
    accepted: int
    calls_per_problem: float
    calls_per_accepted: float


def outcome(cases: Sequence[Case], verified: Sequence[Verified]) -> Outcome:
    """Compare with the truth."""
    pairs = list(zip(cases, verified, strict=True))
    good = [end.accepted for case, end in pairs if case.right]
    hard = [end.accepted for case, end in pairs if case.right and case.hard]
    kept = [case.right for case, end in pairs if end.accepted]
    calls = sum(end.calls for end in verified)
    return Outcome(
        good_kept=sum(good) / max(len(good), 1),
        hard_kept=sum(hard) / max(len(hard), 1),
        wrong_keys=kept.count(False) / max(len(kept), 1),
        accepted=len(kept),
        calls_per_problem=calls / len(pairs),
        calls_per_accepted=calls / max(len(kept), 1),
    )


def judges_alone(case: Case) -> Verified:
    """Two judges that see the key."""
    return Verified(all(case.passed), Evidence(judgements=JUDGED[case.passed]), 0)


def tiers(accepted: Iterable[str], attempts: int = 4) -> Policy:
    """The panel's tiers: each verifier attempts until it hits, then both judge."""
    tiers_accepted = frozenset(accepted)

    def verify(case: Case) -> Verified:
        both = tuple(_until_hit(case.votes[start::2][:attempts], case.key) for start in (0, 1))
        names = {case.key: KEY_TEXT}
        for answer in (answer for votes in both for answer in votes):
            names.setdefault(answer, f"{1000 + len(names)}")
        first, second = (tuple(names[answer] for answer in votes) for votes in both)
        return Verified(_tier(first, second, case.passed) in tiers_accepted, Evidence(), len(first) + len(second))

    return verify


def _until_hit(votes: Sequence[int], key: int) -> Sequence[int]:
    return votes[: votes.index(key) + 1] if key in votes else votes


@cache
def _tier(first: tuple[str, ...], second: tuple[str, ...], passed: tuple[bool, bool]) -> str | None:
    problem = Problem(statement="", answer=KEY_TEXT, answer_type="number", rationale="")
    verdicts = [
        Verdict(
            role=role,
            model=f"sim-{role}",
            problem_hash="",
            votes=tuple(Vote(answer=a, agrees="yes" if a == KEY_TEXT else "no", method="numeric") for a in answers),
            judgement=_judgement(good),
        )
        for role, answers, good in zip(("verifier-a", "verifier-b"), (first, second), passed, strict=True)
    ]
    return by_evidence(verdicts, problem, ["sim-writer"]).tier


def _judgement(good: bool) -> Judgement:
    points = dict.fromkeys(("well_posed", "self_contained", "unique_answer", "on_topic", "hard_enough"), True)
    return Judgement(**points, correct=good, open_problem=False, reason="")


class ByBelief:
    """Judges first, then votes of each verifier in turn until belief leaves the band. Decisions are kept by state."""

    def __init__(self, parameters: Parameters, threshold: float | None, rule: Rule, *, apart: bool = False) -> None:
        """`threshold` is None where nothing may be accepted; `apart`: count votes by verifier."""
        self._parameters, self._rule, self._apart = parameters, rule, apart
        self.threshold = threshold
        self._decided = dict[Evidence, Decision]()

    def __call__(self, case: Case) -> Verified:
        judgements = JUDGED[case.passed]
        evidence = Evidence(Votes((0, 0) if self._apart else (0,)), judgements)
        if self._rule.refusals_reject and not all(case.passed):
            return Verified(False, evidence, 0)
        decided, counts = self._decide(evidence), dict[int, tuple[int, ...]]()
        for index, answer in enumerate(case.votes[: self._rule.max_votes]):
            if decided != "continue":
                break
            voter = index % 2 if self._apart else 0
            counts[answer] = _with_one(counts.get(answer, evidence.votes.key and (0,) * (1 + self._apart)), voter)
            rivals = sorted((count for other, count in counts.items() if other != case.key), reverse=True)
            evidence = Evidence(Votes(counts.get(case.key, (0,) * (1 + self._apart)), tuple(rivals)), judgements)
            decided = self._decide(evidence)
        return Verified(decided == "accept", evidence, evidence.votes.total)

    def _decide(self, evidence: Evidence) -> Decision:
        if evidence not in self._decided:
            believed = belief(evidence, self._parameters).key
            self._decided[evidence] = self._rule.decide(
                believed, evidence.votes.total, 2.0 if self.threshold is None else self.threshold
            )
        return self._decided[evidence]


def _with_one(counts: tuple[int, ...], voter: int) -> tuple[int, ...]:
    return tuple(count + (index == voter) for index, count in enumerate(counts))


def with_adjudications(
    cases: Sequence[Case], parameters: Parameters, alpha: float, target: float, votes: int = 8, times: int = 2
) -> list[Verified]:
    """All votes, then blind adjudications between the key and the strongest rival; accepted from the best downwards."""
    rule = Rule(max_votes=votes, reject_below=0.0)
    counted, ends = ByBelief(parameters, None, rule), list[tuple[float, Evidence, int]]()
    for case in cases:
        evidence = counted(case).evidence
        if evidence.votes.rivals:
            evidence = evidence._replace(adjudications=_adjudications(case, evidence.votes, alpha, times))
        ends.append((belief(evidence, parameters).key, evidence, votes + len(evidence.adjudications)))
    accepted, doubt = set[int](), 0.0
    for place in sorted(range(len(ends)), key=lambda index: -ends[index][0]):
        doubt += 1 - ends[place][0]
        if doubt / (len(accepted) + 1) > target:
            break
        accepted.add(place)
    return [Verified(place in accepted, evidence, calls) for place, (_, evidence, calls) in enumerate(ends)]


def _adjudications(case: Case, votes: Votes, alpha: float, times: int) -> tuple[Adjudication, ...]:
    """By models that see key and strongest rival; right with chance `alpha` if one of them is right, else by chance."""
    rivals = {answer for answer in case.votes[: votes.total] if answer != case.key}
    strongest = max(sorted(rivals), key=case.votes[: votes.total].count)
    draw, results = case.draw, []
    right, wrong = (KEY, 0) if case.right else (0, KEY)
    share = alpha if case.right or strongest == 0 else 0.5
    for _ in range(times):
        results.append(Adjudication((KEY, 0), right if draw < share else wrong))
        draw = draw * 997 % 1
    return tuple(results)
