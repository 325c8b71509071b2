"""Loads a file of topics, as YAML or a file of records: each with a subject of the plan, field, subfield and topic."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from schemas.config.plan import Plan
from schemas.identity import normal_form
from schemas.item import Topic
from shared.config import safe_yaml
from shared.config.file_loader import did_you_mean
from shared.errors import Refusal

NEXT_STEP = "Correct `topics` in the plan, or the file"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class TopicRecord(BaseModel):
    """One topic of the file."""

    model_config = ConfigDict(extra="forbid")

    subject: Name
    field: Name
    subfield: Name
    topic: Name


def load_topics(plan: Plan) -> tuple[Topic, ...]:
    """Load the plan's topics file, in order; empty without a file.

    Raises Refusal that names every wrong line: `topics.csv:7: field: Field required`.
    """
    return read_topics(Path(plan.topics), plan.subjects) if plan.topics else ()


def read_topics(path: Path, subjects: Collection[str]) -> tuple[Topic, ...]:
    """Load a topics file for these subjects, as `load_topics`."""
    records = list(_records(path))
    first_lines: dict[str, int] = {}
    topics, mistakes = list[Topic](), list[str]()
    for number, record in records:
        topic = record if isinstance(record, str) else _topic(record, subjects)
        if isinstance(topic, Topic):
            first = first_lines.setdefault(f"{topic.subject}/{normal_form(topic.name)}", number)
            if first == number:
                topics.append(topic)
                continue
            topic = f"topic: duplicate; the first is in line {first}"
        mistakes.append(f"{path}:{number}: {topic}")
    if mistakes or not topics:
        raise Refusal("\n".join(mistakes) or f"{path}: has no topics", "Correct the file of topics and run again")
    return tuple(topics)


def _topic(record: Any, subjects: Collection[str]) -> Topic | str:
    """The topic, or what is wrong with the record."""
    try:
        line = TopicRecord.model_validate(record)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        return "; ".join(": ".join([*map(str, detail["loc"]), detail["msg"]]) for detail in details)
    if line.subject not in subjects:
        return f"subject: the plan has no {line.subject!r}{did_you_mean(line.subject, subjects)}"
    return Topic(subject=line.subject, field=line.field, subfield=line.subfield, name=line.topic)


def _records(path: Path) -> Iterator[tuple[int, Any]]:
    """Records with their lines; a text says what is wrong with one. Raises Refusal for a file that cannot be read."""
    from shared.dataset.records import Flaw, read_records  # a slow import that only a file of records needs

    if path.suffix.lower() in (".yaml", ".yml"):
        yield from _yaml(path)
        return
    try:
        for one in read_records(path):
            yield one.line, one.reason if isinstance(one, Flaw) else one.fields
    except Refusal as refusal:
        raise Refusal(f"{path}: cannot be read as topics: {refusal.message}", NEXT_STEP) from refusal


def _yaml(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        root = safe_yaml.compose(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise Refusal(
            f"{path}: cannot be read as topics: {why}", "Correct `topics` in the plan, or the file"
        ) from error
    if not isinstance(root, yaml.SequenceNode):
        raise Refusal(f"{path}: cannot be read as topics: not a list", NEXT_STEP)
    numbers = (node.start_mark.line + 1 for node in root.value)
    yield from zip(numbers, yaml.safe_load(text), strict=True)
