"""The evidence on an item, and the belief that it comes to."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from schemas.identity import content_hash
from schemas.item import Belief, Item, Problem, Verdict
from shared.answers.normal import text_form
from shared.answers.rivals import Rival, rivals
from shared.stats.belief import belief
from shared.stats.belief_model import Evidence, JudgeResult, Parameters, Saw, Votes
from shared.stats.guessing import guess_probability

DEFAULTS = Parameters()
_VERDICTS = TypeAdapter(tuple[Verdict, ...])
VERIFIERS = ("verifier-a", "verifier-b")
"""The order in which votes are counted."""
UNDETERMINED = frozenset({"cannot be determined", "insufficient information", "not enough information"})
"""Answers, as `text_form` gives them, that speak against the problem and are no rival of the key."""


def is_complete(verdicts: Sequence[Verdict]) -> bool:
    """Whether both verifiers have given a verdict."""
    return {verdict.role for verdict in verdicts} == set(VERIFIERS)


def evidence_of(verdicts: Sequence[Verdict], problem: Problem) -> Evidence:
    """Votes, judgements and guess probability, as the model of belief takes them."""
    return _evidence(verdicts, problem, _determined(verdicts))


def item_belief(
    verdicts: Sequence[Verdict],
    problem: Problem,
    parameters: Parameters,
    thresholds: Mapping[str, float | None] | None = None,
) -> Belief:
    """What two verdicts come to, in the form that items carry."""
    against = _determined(verdicts)
    value = belief(_evidence(verdicts, problem, against), parameters)
    return Belief(
        key=value.key,
        rivals=dict(zip((rival.answer for rival in against), value.rivals, strict=True)),
        unseen=value.unseen,
        parameters=parameters_id(parameters),
        thresholds=dict(thresholds or {}),
    )


def complete_belief(item: Item) -> Belief | None:
    """The belief that an item carries; of one that an older version decided, with the default parameters.

    `None` where not both verifiers have given a verdict.
    """
    if item.belief or item.problem is None or not is_complete(item.verdicts):
        return item.belief
    return item_belief(item.verdicts, item.problem, DEFAULTS)


def row_evidence(row: Mapping[str, Any]) -> Evidence | None:
    """The evidence on a row, from its columns; `None` where not both verifiers have given a verdict."""
    verdicts = _VERDICTS.validate_json(row["verdicts"])
    fields = {name: row[name] for name in ("answer", "answer_type", "rationale")}
    return evidence_of(verdicts, Problem(statement=row["problem"], **fields)) if is_complete(verdicts) else None


def row_belief(row: Mapping[str, Any]) -> float | None:
    """Belief in the key of a row, from its columns, with the default parameters."""
    evidence = row_evidence(row)
    return None if evidence is None else belief(evidence, DEFAULTS).key


def parameters_id(parameters: Parameters) -> str:
    """Equal for equal parameters."""
    return content_hash(repr(parameters))[:12]


def says_about_key(verdict: Verdict) -> bool | None:
    """Whether a judge passed the key, by the points that concern it; `None` where it gave no judgement."""
    points = verdict.judgement
    if points is None:
        return None
    return points.well_posed and points.self_contained and points.unique_answer and points.correct


def _determined(verdicts: Sequence[Verdict]) -> list[Rival]:
    return [rival for rival in rivals(verdicts) if text_form(rival.answer) not in UNDETERMINED]


def _evidence(verdicts: Sequence[Verdict], problem: Problem, against: Sequence[Rival]) -> Evidence:
    by_role = {verdict.role: verdict for verdict in verdicts}
    ordered = [by_role[role] for role in VERIFIERS if role in by_role]
    return Evidence(
        votes=Votes(
            key=tuple(by_role[role].hits if role in by_role else 0 for role in VERIFIERS),
            rivals=tuple(tuple(rival.roles.count(role) for role in VERIFIERS) for rival in against),
        ),
        judgements=tuple(
            JudgeResult(passed, sight_of(verdict))
            for verdict in ordered
            if (passed := says_about_key(verdict)) is not None
        ),
        undetermined=sum(any(_undetermined(answer.answer) for answer in verdict.votes) for verdict in ordered),
        guess=guess_probability(problem.answer),
    )


def _undetermined(answer: str | None) -> bool:
    return answer is not None and text_form(answer) in UNDETERMINED


def sight_of(verdict: Verdict) -> Saw:
    """What the judge's own blind votes showed it."""
    if verdict.hits:
        return "hit"
    return "miss" if any(vote.answer is not None for vote in verdict.votes) else "nothing"
