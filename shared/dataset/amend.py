"""Rows that change after their curation. A change that a row has already leaves it as it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from schemas.events import ProblemReprobed, ProblemResolved, ProblemReviewed, SolutionChecked
from schemas.item import Attempt, Step
from schemas.outcomes import Tier
from shared.dataset import build
from shared.dataset.query import id_in, sql_string
from shared.dataset.schema import Row
from shared.stats.item_belief import belief_after_solving

_ATTEMPTS = TypeAdapter(tuple[Attempt, ...])
_STEPS = TypeAdapter(tuple[Step, ...])

AMENDED = (
    *("independent", "tier", "tier_reason", "reasoning", "solution", "correct", "flaws", "solver", "attempts"),
    *("difficulty", "lineage", "event", "event_hash", "row_hash", "views", "admission"),
)
"""Columns that a change may give other values."""


def attempts_of(row: Row) -> tuple[Attempt, ...]:
    """Return the attempts of a row."""
    return _ATTEMPTS.validate_json(row.attempts)


def is_amended(row: Mapping[str, Any]) -> bool:
    """Whether a row, by its columns event and lineage, has changed after its curation."""
    first = (step.event for step in _STEPS.validate_json(row["lineage"]) if step.type == SolutionChecked.type)
    return UUID(row["event"]) not in first


def add_solutions(row: Row, event: ProblemResolved, choose: str | None = None) -> Row:
    """Return a row with the attempts of another solver after its own, of which the plan's `choose` takes one."""
    known = attempts_of(row)
    if any(attempt.provenance == event.item.attempts[0].provenance for attempt in known):
        return row
    new = tuple(one.with_(index=len(known) + number) for number, one in enumerate(event.item.attempts))
    item, attempts = build.to_item(row), (*known, *new)
    belief = belief_after_solving(event.item.with_(attempts=attempts))
    changed = None if belief == item.belief else belief
    step = Step(service="answer_checker", event=event.id, type=event.type, belief=changed)
    lineage = build.to_json((*item.lineage, step))
    row = replace(row, event=str(event.id), event_hash=event.hash, attempts=build.to_json(attempts), lineage=lineage)
    return _with_solution(row, build.choose_attempt(attempts, choose))


def follows_from_another(row: Mapping[str, Any]) -> bool:
    """Whether the problem of a row had ended, and a person sent it once more, by its column lineage."""
    if '"cli"' not in row["lineage"]:  # most lineages need no parsing
        return False
    return any(
        step.service == "cli" and step.type != ProblemReviewed.type for step in _STEPS.validate_json(row["lineage"])
    )


def is_reviewed(row: Mapping[str, Any]) -> bool:
    """Whether a person has decided about a row, by its column lineage."""
    return any(step.type == ProblemReviewed.type for step in _STEPS.validate_json(row["lineage"]))


def decide_key(row: Row, event: ProblemReviewed) -> Row:
    """Return a row with what a person decided about its key."""
    item = build.to_item(row)
    if any(step.event == event.id for step in item.lineage):
        return row
    step = Step(service=event.cause.role, event=event.id, type=event.type)
    return build.with_hash(
        replace(
            row,
            tier=Tier.REVIEWED if event.decision == "accept" else Tier.DISPUTED,
            tier_reason=event.summary,
            lineage=build.to_json((*item.lineage, step)),
            event=str(event.id),
            event_hash=event.hash,
        )
    )


def set_difficulty(row: Row, event: ProblemReprobed) -> Row:
    """Return a row with its difficulty for another model; unknown when no attempt was graded.

    Without a probe, in a stack whose plan has none, it stays as it was.
    """
    item = build.to_item(row)
    if any(step.event == event.id for step in item.lineage):
        return row
    step = Step(service="probe", event=event.id, type=event.type, left=event.left)
    return build.with_hash(
        replace(
            row,
            difficulty=event.difficulty if event.item.probe else row.difficulty,
            lineage=build.to_json((*item.lineage, step)),
            event=str(event.id),
            event_hash=event.hash,
        )
    )


def left_views(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the views that a row has left as too easy, by its column lineage."""
    if ProblemReprobed.type not in row["lineage"]:
        return ()
    left = [step.left or () for step in _STEPS.validate_json(row["lineage"]) if step.type == ProblemReprobed.type]
    return left[-1]


def in_order(row: Row, order: Mapping[str, int]) -> Row:
    """Return a row with the steps of its changes in the given order of their events."""
    steps = sorted(build.to_item(row).lineage, key=lambda step: order.get(str(step.event), 0))
    return replace(row, lineage=build.to_json(steps))


def with_hash_of(row: Row, row_hash: str) -> Row:
    """Return a row with the one of its attempts as its solution that gives this hash; the row itself if none does."""
    candidates = (_with_solution(row, attempt) for attempt in attempts_of(row))
    return next((one for one in (build.with_hash(row), *candidates) if one.row_hash == row_hash), row)


def _with_solution(row: Row, chosen: Attempt) -> Row:
    independent = build.to_item(row).independent
    return build.with_hash(replace(row, **build.solution_columns(chosen), independent=independent))


def updates(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return SQL expressions that give these rows their views and admissions, and leave others alone."""
    return {
        "views": _cases("views", ((row["id"], _array(row["views"])) for row in rows)),
        "admission": _cases("admission", ((row["id"], sql_string(row["admission"])) for row in rows)),
    }


def amendments(rows: Iterable[Row]) -> dict[str, str]:
    """Return SQL expressions that give these rows all that a change may give other values, and leave others alone."""
    return {name: _cases(name, ((row.id, _literal(getattr(row, name))) for row in rows)) for name in AMENDED}


def _cases(column: str, values: Iterable[tuple[str, str]]) -> str:
    """Return the expression of a column: by id, the same values together."""
    ids: dict[str, list[str]] = {}
    for id_, value in values:
        ids.setdefault(value, []).append(id_)
    return f"case {' '.join(f'when {id_in(those)} then {value}' for value, those in ids.items())} else {column} end"


def _literal(value: str | float | bool | tuple[str, ...] | None) -> str:
    match value:
        case None:
            return "null"
        case float():
            return repr(value)
        case bool():
            return str(value).lower()
        case str():
            return sql_string(value)
        case _:
            return _array(value)


def _array(values: Sequence[str]) -> str:
    return f"arrow_cast(make_array({', '.join(map(sql_string, values))}), 'List(Utf8)')"
