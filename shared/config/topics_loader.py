"""Loads a file of topics, as YAML, JSON lines or CSV: each with a subject of the plan, field, subfield and topic."""

import csv
import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from schemas.config.plan import Plan
from schemas.identity import normal_form
from schemas.item import Topic
from shared.config.file_loader import did_you_mean
from shared.errors import Refusal

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
    try:
        records = list(_READERS[path.suffix](path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, KeyError, TypeError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or f"not a list in {', '.join(_READERS)}"
        raise Refusal(
            f"{path}: cannot be read as topics: {why}", "Correct `topics` in the plan, or the file"
        ) from error
    first_lines: dict[str, int] = {}
    topics, mistakes = list[Topic](), list[str]()
    for number, record in records:
        topic = _topic(record, subjects)
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


def _yaml(text: str) -> Iterator[tuple[int, Any]]:
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.SequenceNode):
        raise TypeError("not a list")
    numbers = (node.start_mark.line + 1 for node in root.value)
    return zip(numbers, yaml.safe_load(text), strict=True)


def _jsonl(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        record = None
        with suppress(ValueError):  # a line that is not valid JSON is reported as not a mapping
            record = json.loads(line)
        yield number, record


def _csv(text: str) -> Iterator[tuple[int, Any]]:
    rows = csv.DictReader(text.splitlines(), restkey="more")
    for row in rows:
        yield rows.line_num, row


_READERS = {".yaml": _yaml, ".yml": _yaml, ".jsonl": _jsonl, ".csv": _csv}
