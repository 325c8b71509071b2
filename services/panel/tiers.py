"""From votes and judgements to a tier: how far may the key be believed?

verified   each verifier hit the key, both judge the item good, the key has more votes than any rival, and guessing
           explains the hits with a chance under 1 % (`shared.stats.guessing`)
plausible  both judge it good, no rival has two votes, a verifier that is not the writer's model hit the key (or one
           that is, twice), and guessing explains the hits with a chance under 1 %
disputed   a rival answer has votes from both verifiers, or at least two votes and as many as the key
unsolved   nothing of these: hard, or a wrong key

A bad judgement comes before `unsolved`: then the item is not hard but faulty. Votes and a bad judgement count also
where the other verifier was unable to judge; an item that nothing speaks against is then `unable`, and may be verified
again. Under the policy `paper` the only tier is `nodded`: both judge it good, with the key in view.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.item import Judgement, Problem, Verdict
from shared.answers.rivals import strongest
from shared.stats.guessing import MAX_P_VALUE, guess_probability, hits_needed, p_value

DISPUTED_VOTES = 2
"""Votes from which a rival answer counts as more than a slip."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A tier, or a reason to reject; `detail` says why in a sentence."""

    tier: str | None
    reason: str
    detail: str


Policy = Callable[[Sequence[Verdict], Problem, str | None], Finding]
"""(verdicts, problem, the model that wrote it if known) → what they come to, whatever the order of the verdicts."""


def by_evidence(verdicts: Sequence[Verdict], problem: Problem, writer: str | None) -> Finding:
    """Votes first, then judgements."""
    verdicts = sorted(verdicts, key=lambda verdict: verdict.role)
    hits, rival = sum(verdict.hits for verdict in verdicts), strongest(verdicts)
    if len(rival.voters) > 1 or rival.votes >= max(DISPUTED_VOTES, hits):
        return Finding(
            "disputed", "key_disputed", f"{rival.votes} blind votes for {rival.answer!r}, {hits} for the key"
        )
    if spoken := _against(verdicts):
        return spoken
    blind = ", ".join(f"{verdict.role} hit {verdict.hits} of {len(verdict.votes)}" for verdict in verdicts)
    guesses = sum(vote.answer is not None for verdict in verdicts for vote in verdict.votes)
    luck = p_value(guess_probability(problem.answer), hits, guesses)
    if hits and luck >= MAX_P_VALUE:
        return Finding(
            "unsolved", "unsolved", f"{blind}; guesses hit {problem.answer!r} as often in {luck:.0%} of cases"
        )
    if all(verdict.hits for verdict in verdicts) and hits > rival.votes:
        return Finding("verified", "verified", f"both judge it good; {blind}")
    if rival.votes < DISPUTED_VOTES and any(verdict.hits >= hits_needed(verdict.model, writer) for verdict in verdicts):
        return Finding("plausible", "plausible", f"both judge it good; {blind}")
    return Finding("unsolved", "unsolved", blind)


def by_judgements(verdicts: Sequence[Verdict], problem: Problem, writer: str | None) -> Finding:
    """The CHIMERA paper's gate: two verifiers that see the key, and no more."""
    verdicts = sorted(verdicts, key=lambda verdict: verdict.role)
    return _against(verdicts) or Finding("nodded", "nodded", "both judge it good; blind votes do not count")


POLICIES: dict[str, Policy] = {"evidence": by_evidence, "paper": by_judgements}
"""By their name in the plan."""


def _against(verdicts: Sequence[Verdict]) -> Finding | None:
    """What a judgement says against the item, or that one is missing."""
    for verdict in verdicts:
        if verdict.judgement and not verdict.judgement.good:
            return Finding(None, *_fault(verdict.role, verdict.judgement))
    for verdict in verdicts:
        if verdict.judgement is None:
            return Finding(None, "unable", f"{verdict.role}: {verdict.unable}")
    return None


def _fault(role: str, judgement: Judgement) -> tuple[str, str]:
    """The first point that does not hold, and why."""
    faults = {
        "ill_posed": ("well_posed", not judgement.well_posed),
        "not_self_contained": ("self_contained", not judgement.self_contained),
        "not_unique": ("unique_answer", not judgement.unique_answer),
        "wrong_key": ("correct", not judgement.correct),
        "off_topic": ("on_topic", not judgement.on_topic),
        "open_problem": ("open_problem", judgement.open_problem),
        "too_easy": ("hard_enough", not judgement.hard_enough),
    }
    fault, point = next((fault, point) for fault, (point, found) in faults.items() if found)
    return fault, f"{role}: {judgement.reasons.get(point, judgement.reason)}"
