"""Assigns a tier, which says how reliable the key is, from votes and judgements.

verified   each verifier hit the key, both judge the item good, the key has more votes than any rival answer, and the
           probability of the hits by guessing is under 1 % (`shared.stats.guessing`)
plausible  both judge it good, no rival answer has two votes, a verifier that is not the writer's model hit the key (or
           one that is, twice), and the probability of the hits by guessing is under 1 %
disputed   a rival answer has votes of both verifiers, or at least two votes and as many as the key
unsolved   none of these: a hard problem or a wrong key

A bad judgement precedes `unsolved`: the item is then faulty, not hard. Votes and a bad judgement also count when the
other verifier was unable to judge. Without either the item is `unable`, and may be verified again. Under the policy
`paper` the only tier is `nodded` (judge-only): both judge it good, seeing the key.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from schemas.item import Judgement, Problem, Verdict
from schemas.outcomes import Tier
from shared.answers.rivals import strongest
from shared.stats.guessing import MAX_P_VALUE, guess_probability, hits_needed, p_value
from shared.text.controls import quote

DISPUTED_VOTES = 2
"""Votes from which a rival answer disputes the key."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A tier, or a reason to reject; `detail` explains it in a sentence."""

    tier: str | None
    reason: str
    detail: str
    final: bool = False
    """Whether no further evidence on the key can change it."""


Policy = Callable[[Sequence[Verdict], Problem, Collection[str]], Finding]
"""(verdicts, problem, names of the writer's model) → finding, independent of the order of the verdicts."""


def by_evidence(verdicts: Sequence[Verdict], problem: Problem, writers: Collection[str]) -> Finding:
    """Decide by votes first, then by judgements."""
    verdicts = sorted(verdicts, key=lambda verdict: verdict.role)
    hits, rival = sum(verdict.hits for verdict in verdicts), strongest(verdicts)
    if len(rival.voters) > 1 or rival.votes >= max(DISPUTED_VOTES, hits):
        return Finding(
            Tier.DISPUTED, "key_disputed", f"{rival.votes} blind votes for {quote(rival.answer)}, {hits} for the key"
        )
    if objection := find_objection(verdicts):
        return objection
    blind = ", ".join(f"{verdict.role} hit {verdict.hits} of {len(verdict.votes)}" for verdict in verdicts)
    guesses = sum(vote.answer is not None for verdict in verdicts for vote in verdict.votes)
    chance = p_value(guess_probability(problem.answer), hits, guesses)
    if hits and chance >= MAX_P_VALUE:
        return Finding(
            Tier.UNSOLVED,
            "unsolved",
            f"{blind}; guesses hit {quote(problem.answer)} as often in {chance:.0%} of cases",
        )
    if all(verdict.hits for verdict in verdicts) and hits > rival.votes:
        return Finding(Tier.VERIFIED, "verified", f"both judge it good; {blind}")
    if rival.votes < DISPUTED_VOTES and any(
        verdict.hits >= hits_needed(verdict.model, writers) for verdict in verdicts
    ):
        return Finding(Tier.PLAUSIBLE, "plausible", f"both judge it good; {blind}")
    return Finding(Tier.UNSOLVED, "unsolved", blind)


def by_judgements(verdicts: Sequence[Verdict], problem: Problem, writers: Collection[str]) -> Finding:
    """Decide as the CHIMERA paper: by two judges that see the key, without blind votes."""
    verdicts = sorted(verdicts, key=lambda verdict: verdict.role)
    return find_objection(verdicts) or Finding("nodded", "nodded", "both judge it good; blind votes do not count")


POLICIES: dict[str, Policy] = {"evidence": by_evidence, "paper": by_judgements}
"""Policies by their name in the plan."""


def find_objection(verdicts: Sequence[Verdict]) -> Finding | None:
    """Return the objection of a judgement, or that a judgement is missing; `None` if both judge it good."""
    for verdict in verdicts:
        if verdict.judgement and not verdict.judgement.good:
            return Finding(None, *_fault(verdict.role, verdict.judgement))
    for verdict in verdicts:
        if verdict.judgement is None:
            return Finding(None, "unable", f"{verdict.role}: {verdict.unable}")
    return None


def find_easy(verdicts: Sequence[Verdict]) -> Finding | None:
    """Return the verdict of a judge that the problem is too easy; `None` if no judge says so."""
    for verdict in sorted(verdicts, key=lambda verdict: verdict.role):
        if verdict.judgement and not verdict.judgement.hard_enough:
            why = verdict.judgement.reasons.get("hard_enough", verdict.judgement.reason)
            return Finding(None, "too_easy", f"{verdict.role}: {why}")
    return None


def _fault(role: str, judgement: Judgement) -> tuple[str, str]:
    """Return the first criterion that is not met, and the judge's reason."""
    faults = {
        "ill_posed": ("well_posed", not judgement.well_posed),
        "not_self_contained": ("self_contained", not judgement.self_contained),
        "not_unique": ("unique_answer", not judgement.unique_answer),
        "wrong_key": ("correct", not judgement.correct),
        "off_topic": ("on_topic", not judgement.on_topic),
        "open_problem": ("open_problem", judgement.open_problem),
    }
    fault, point = next((fault, point) for fault, (point, is_fault) in faults.items() if is_fault)
    return fault, f"{role}: {judgement.reasons.get(point, judgement.reason)}"
