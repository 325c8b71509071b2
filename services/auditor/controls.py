"""Controls: problems without planted errors. They measure false rejections."""

from collections.abc import Collection, Iterator
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.audit_tag import AuditTag
from schemas.item import Item, Problem, Topic
from services.auditor.inject import PlannedAudit
from services.auditor.rival_answers import difficulty
from shared.errors import Refusal
from shared.exact_problems import LEVELS, exact
from shared.llm.sanitize import neutralise, neutralise_statement

EXACT_PROBLEMS = 10**9
"""Number of exact problems to draw from, so that repetitions are rare."""


class Vetted(BaseModel):
    """A line of the user's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    problem: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    answer_type: str
    subject: str
    topic: str


def row_control(item: Item) -> PlannedAudit:
    """Plan a control from an accepted problem, unchanged."""
    return PlannedAudit(
        AuditTag(kind="control-row", source=item.id, difficulty=difficulty(item)), item.written, item.topic
    )


def exact_control(rng: Random) -> PlannedAudit:
    """Plan a control from a problem of exact arithmetic; its level is the difficulty."""
    drawn = exact(rng.randrange(EXACT_PROBLEMS))
    tag = AuditTag(kind="control-exact", difficulty=(drawn.level - 1) / (LEVELS - 1))
    return PlannedAudit(tag, drawn.problem, drawn.topic)


def vetted_control(line: Vetted) -> PlannedAudit:
    """Plan a control from the user's file, neutralised as the problems of the writer are."""
    topic = Topic(subject=line.subject, field=line.topic, subfield=line.topic, name=line.topic)
    statement, answer = neutralise_statement(line.problem), neutralise(line.answer)
    problem = Problem(statement=statement, answer=answer, answer_type=line.answer_type, rationale="")
    return PlannedAudit(AuditTag(kind="control-vetted"), problem, topic)


def load_vetted(path: Path, subjects: Collection[str]) -> tuple[Vetted, ...]:
    """Read the user's file. Raises Refusal that lists every invalid line with the reason."""
    from shared.dataset.records import Flaw, read_records  # a slow import that only a file of controls needs

    read = [
        (one.line, one.reason if isinstance(one, Flaw) else _line(one.fields, subjects)) for one in read_records(path)
    ]
    errors = [f"{path}:{number}: {line}" for number, line in read if isinstance(line, str)]
    if errors or not read:
        raise Refusal("\n".join(errors) or f"{path}: contains no problem", "Correct the file of controls and run again")
    return tuple(line for _, line in read if isinstance(line, Vetted))


def _line(fields: dict[str, Any], subjects: Collection[str]) -> Vetted | str:
    """The problem of a record; returns an error message for an invalid one."""
    try:
        line = Vetted.model_validate(fields)
    except ValidationError as error:
        return "; ".join(_describe_errors(error))
    if line.subject not in subjects:
        return f"subject: the plan has no {line.subject!r}; it has {', '.join(subjects)}"
    return line


def _describe_errors(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        yield ": ".join(filter(None, (".".join(map(str, detail["loc"])), detail["msg"])))
