"""The evidence on an item, and the belief that it comes to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from schemas.belief import Belief
from schemas.flow import VERIFIERS
from schemas.identity import content_hash
from schemas.item import Adjudication, Attempt, Item, Problem, Step, Verdict, Vote, adjudications_in, last_belief
from shared.answers.normal import text_form
from shared.answers.rivals import Rival, possible_rivals, rivals
from shared.stats import belief_model as model
from shared.stats.belief import belief
from shared.stats.belief_model import KEY, Evidence, JudgeResult, Parameters, Saw, Votes
from shared.stats.guessing import guess_probability

DEFAULTS = Parameters()
_VERDICTS = TypeAdapter(tuple[Verdict, ...])
_STEPS = TypeAdapter(tuple[Step, ...])
SOLVER = "solver"
"""The role of a solver's answers among the votes, where they are counted."""
UNDETERMINED = frozenset({"cannot be determined", "insufficient information", "not enough information"})
"""Answers, as `text_form` gives them, that speak against the problem and are no rival of the key."""


def is_complete(verdicts: Sequence[Verdict]) -> bool:
    """Whether both verifiers have given a verdict."""
    return {verdict.role for verdict in verdicts} == set(VERIFIERS)


def evidence_of(verdicts: Sequence[Verdict], problem: Problem, adjudications: Sequence[Adjudication] = ()) -> Evidence:
    """Votes, judgements, adjudications and guess probability, as the model of belief takes them.

    With a verdict of the solver its votes are counted last.
    """
    return _evidence(verdicts, problem, candidates(verdicts), adjudications)


def possible_evidence(
    verdicts: Sequence[Verdict], problem: Problem, adjudications: Sequence[Adjudication] = ()
) -> tuple[Evidence, ...]:
    """The evidence by every way to group the answers that no comparison excludes; mostly one."""
    groupings = map(_rivals_of_key, possible_rivals(verdicts))
    return tuple(_evidence(verdicts, problem, against, adjudications) for against in groupings)


def item_belief(
    verdicts: Sequence[Verdict],
    problem: Problem,
    parameters: Parameters,
    thresholds: Mapping[str, float | None] | None = None,
    adjudications: Sequence[Adjudication] = (),
) -> Belief:
    """What verdicts and adjudications come to, in the form that items carry."""
    against = candidates(verdicts)
    value = belief(_evidence(verdicts, problem, against, adjudications), parameters)
    return Belief(
        key=value.key,
        rivals=dict(zip((rival.answer for rival in against), value.rivals, strict=True)),
        unseen=value.unseen,
        parameters=parameters_id(parameters),
        thresholds=dict(thresholds or {}),
        values=None if parameters == DEFAULTS else parameters.values,
    )


def belief_after_solving(item: Item) -> Belief | None:
    """The belief of an item with the solver's answers as further blind votes, by the parameters of its decision.

    Answers of flawed traces do not count, nor those that could not be compared. `None` where the item has no belief; as
    it was where an older version decided with parameters that the item does not carry.
    """
    before, votes = item.belief, tuple(_solver_votes(item.own_attempts))
    if before is None or not votes or (parameters := _parameters_of(before)) is None:
        return before
    solver = Verdict(role=SOLVER, model=SOLVER, problem_hash=item.written.hash, votes=votes)
    verdicts, solving = (*item.verdicts, solver), parameters.solving.with_another()
    after = item_belief(
        verdicts, item.written, replace(parameters, solving=solving), before.thresholds, item.adjudications
    )
    return after.with_(parameters=before.parameters, values=before.values)


def _solver_votes(attempts: Iterable[Attempt]) -> Iterator[Vote]:
    for one in attempts:
        if one.answer is not None and one.agrees in ("yes", "no") and not one.flaws:
            yield Vote(answer=one.answer, agrees=one.agrees, method=one.method or "")


def _parameters_of(value: Belief) -> Parameters | None:
    if value.values:
        return Parameters.of(value.values)
    return DEFAULTS if value.parameters == parameters_id(DEFAULTS) else None


def complete_belief(item: Item) -> Belief | None:
    """The belief that an item carries; of one that an older version decided, with the default parameters.

    `None` where not both verifiers have given a verdict.
    """
    if item.belief or item.problem is None or not is_complete(item.verdicts):
        return item.belief
    return item_belief(item.verdicts, item.problem, DEFAULTS, adjudications=item.adjudications)


def row_evidence(row: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """The possible evidence on a row, from its columns; empty where not both verifiers have given a verdict."""
    columns = _verified_columns(row)
    return possible_evidence(*columns) if columns else ()


def row_belief(row: Mapping[str, Any]) -> float | None:
    """Belief in the key of a row, from its columns, as it was when the row was made.

    Of a row that an older version made, with the default parameters.
    """
    if '"belief"' in row["lineage"] and (last := last_belief(_STEPS.validate_json(row["lineage"]))):
        return last.key
    columns = _verified_columns(row)
    return belief(evidence_of(*columns), DEFAULTS).key if columns else None


def _verified_columns(row: Mapping[str, Any]) -> tuple[tuple[Verdict, ...], Problem, tuple[Adjudication, ...]] | None:
    """Verdicts, problem and adjudications; `None` where not both verifiers have given a verdict."""
    verdicts = _VERDICTS.validate_json(row["verdicts"])
    if not is_complete(verdicts):
        return None
    fields = {name: row[name] for name in ("answer", "answer_type", "rationale")}
    adjudications = adjudications_in(_STEPS.validate_json(row["lineage"])) if '"adjudication"' in row["lineage"] else ()
    return verdicts, Problem(statement=row["problem"], **fields), adjudications


def parameters_id(parameters: Parameters) -> str:
    """Equal for equal parameters."""
    return content_hash(repr(parameters))[:12]


def says_about_key(verdict: Verdict) -> bool | None:
    """Whether a judge passed the key, by the points that concern it; `None` where it gave no judgement."""
    points = verdict.judgement
    if points is None:
        return None
    return points.well_posed and points.self_contained and points.unique_answer and points.correct


def candidates(verdicts: Sequence[Verdict]) -> list[Rival]:
    """The rivals of the key, in the order in which evidence counts them."""
    return _rivals_of_key(rivals(verdicts))


def _rivals_of_key(answers: Iterable[Rival]) -> list[Rival]:
    return [one for one in answers if text_form(one.answer) not in UNDETERMINED]


def _evidence(
    verdicts: Sequence[Verdict], problem: Problem, against: Sequence[Rival], adjudications: Sequence[Adjudication]
) -> Evidence:
    by_role = {verdict.role: verdict for verdict in verdicts}
    roles = (*VERIFIERS, SOLVER) if SOLVER in by_role else VERIFIERS
    ordered = [by_role[role] for role in roles if role in by_role]
    return Evidence(
        votes=Votes(
            key=tuple(by_role[role].hits if role in by_role else 0 for role in roles),
            rivals=tuple(tuple(rival.roles.count(role) for role in roles) for rival in against),
        ),
        judgements=tuple(
            JudgeResult(passed, sight_of(verdict))
            for verdict in ordered
            if (passed := says_about_key(verdict)) is not None
        ),
        undetermined=sum(any(_undetermined(answer.answer) for answer in verdict.votes) for verdict in ordered),
        adjudications=tuple(_adjudications(adjudications, against)),
        guess=guess_probability(problem.answer),
    )


def _adjudications(given: Sequence[Adjudication], against: Sequence[Rival]) -> Iterator[model.Adjudication]:
    for one in given:
        index = next((index for index, rival in enumerate(against) if one.rival in rival.answers), None)
        if index is not None:
            chosen = {"key": KEY, "rival": index, "neither": None}[one.chosen]
            yield model.Adjudication((KEY, index), chosen)


def _undetermined(answer: str | None) -> bool:
    return answer is not None and text_form(answer) in UNDETERMINED


def sight_of(verdict: Verdict) -> Saw:
    """What the judge's own blind votes showed it."""
    if any(vote.agrees == "yes" for vote in verdict.seen_votes):
        return "hit"
    return "miss" if any(vote.answer is not None for vote in verdict.seen_votes) else "nothing"
