"""Unbroken problems: who refuses one of these is too strict. Without them, refusing everything would look perfect."""

from collections.abc import Collection, Iterator
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.audit_tag import AuditTag
from schemas.item import Item, Problem, Topic
from services.auditor.inject import PlannedAudit
from services.auditor.rival_answers import difficulty
from shared.errors import Refusal
from shared.exact_problems import LEVELS, exact

MANY = 10**9
"""Numbers of exact problems to draw from, so that hardly any comes twice."""


class Vetted(BaseModel):
    """A line of the user's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    problem: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    answer_type: str
    subject: str
    topic: str


def row(item: Item) -> PlannedAudit:
    """The accepted problem as it is."""
    return PlannedAudit(
        AuditTag(kind="control-row", source=item.id, difficulty=difficulty(item)), item.written, item.topic
    )


def exactly(dice: Random) -> PlannedAudit:
    """A problem whose answer is known by arithmetic, as hard as its level says."""
    found = exact(dice.randrange(MANY))
    mark = AuditTag(kind="control-exact", difficulty=(found.level - 1) / (LEVELS - 1))
    return PlannedAudit(mark, found.problem, found.topic)


def vetted(line: Vetted) -> PlannedAudit:
    """A problem that the user stands for."""
    topic = Topic(subject=line.subject, field=line.topic, subfield=line.topic, name=line.topic)
    problem = Problem(statement=line.problem, answer=line.answer, answer_type=line.answer_type, rationale="")
    return PlannedAudit(AuditTag(kind="control-vetted"), problem, topic)


def load(path: Path, subjects: Collection[str]) -> tuple[Vetted, ...]:
    """Read the user's file. Raises Refusal that names every bad line, with the reason."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(
            f"{path}: cannot be read ({type(error).__name__})", "Correct `audits.controls` in the plan"
        ) from error
    read = [_line(line, subjects) for line in lines]
    wrong = [f"{path}:{number}: {found}" for number, found in enumerate(read, 1) if isinstance(found, str)]
    if wrong or not read:
        raise Refusal("\n".join(wrong) or f"{path}: holds no problem", "Correct the file of controls and run again")
    return tuple(found for found in read if isinstance(found, Vetted))


def _line(text: str, subjects: Collection[str]) -> Vetted | str:
    """The problem, or what is wrong with it."""
    try:
        found = Vetted.model_validate_json(text)
    except ValidationError as error:
        return "; ".join(_mistakes(error))
    if found.subject not in subjects:
        return f"subject: the plan has no {found.subject!r}; it has {', '.join(subjects)}"
    return found


def _mistakes(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        yield ": ".join(filter(None, (".".join(map(str, detail["loc"])), detail["msg"])))
