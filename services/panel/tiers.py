"""From votes and judgements to a tier: how far may the key be believed?

verified   each verifier hit the key, both judge the item good, and the key has more votes than any rival
plausible  both judge it good, no rival has two votes, and a verifier that is not the writer's model hit the key
disputed   a rival answer has votes from both verifiers, or at least two votes and as many as the key
unsolved   nothing of these: hard, or a wrong key

A bad judgement comes before `unsolved`: then the item is not hard but faulty.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.identity import normal_form
from schemas.item import Judgement, Verdict

DISPUTED_VOTES = 2
"""Votes from which a rival answer counts as more than a slip."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A tier, or a reason to reject; `detail` says why in a sentence."""

    tier: str | None
    reason: str
    detail: str


def find(verdicts: Sequence[Verdict], writer: str | None) -> Finding:
    """Find the tier of an item. `writer` is the model that wrote it, if known."""
    for verdict in verdicts:
        if verdict.unable:
            return Finding(None, "unable", f"{verdict.role}: {verdict.unable}")
    hits = sum(verdict.hits for verdict in verdicts)
    rival, votes, voters = _strongest_rival(verdicts)
    if len(voters) > 1 or votes >= max(DISPUTED_VOTES, hits):
        return Finding("disputed", "key_disputed", f"{votes} blind votes for {rival!r}, {hits} for the key")
    for verdict in verdicts:
        if verdict.judgement and not verdict.judgement.good:
            return Finding(None, _fault(verdict.judgement), f"{verdict.role}: {verdict.judgement.reason}")
    blind = ", ".join(f"{verdict.role} hit {verdict.hits} of {len(verdict.votes)}" for verdict in verdicts)
    if all(verdict.hits for verdict in verdicts) and hits > votes:
        return Finding("verified", "verified", f"both judge it good; {blind}")
    if votes < DISPUTED_VOTES and any(verdict.hits and verdict.model != writer for verdict in verdicts):
        return Finding("plausible", "plausible", f"both judge it good; {blind}")
    return Finding("unsolved", "unsolved", blind)


def _strongest_rival(verdicts: Sequence[Verdict]) -> tuple[str, int, set[str]]:
    """Return the rival answer with most verifiers, then most votes; its votes; who voted for it."""
    votes: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        for vote in verdict.votes:
            if vote.answer is not None and vote.agrees == "no":
                votes[normal_form(vote.answer)].append(verdict.role)
    if not votes:
        return "", 0, set()
    answer, roles = max(votes.items(), key=lambda rival: (len(set(rival[1])), len(rival[1])))
    return answer, len(roles), set(roles)


def _fault(judgement: Judgement) -> str:
    faults = {
        "ill_posed": not judgement.well_posed,
        "not_self_contained": not judgement.self_contained,
        "not_unique": not judgement.unique_answer,
        "wrong_key": not judgement.correct,
        "off_topic": not judgement.on_topic,
        "open_problem": judgement.open_problem,
        "too_easy": not judgement.hard_enough,
    }
    return next(fault for fault, found in faults.items() if found)
