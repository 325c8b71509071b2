"""Expands a subject into distinct topics, each with a path field › subfield › topic."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from schemas.events import Event, SubjectRequested, TopicExpanded
from schemas.identity import seed
from schemas.item import Topic
from services.expansion.topic_names import canonical_name, is_misspelling
from shared.llm.sanitize import one_line
from shared.ports import Malformed, Model

ROLE = "expansion"


class Leaf(BaseModel):
    """One topic with its path."""

    field: str
    subfield: str
    topic: str


class Topics(BaseModel):
    topics: list[Leaf]


@dataclass(frozen=True, slots=True)
class ExpandSubject:
    """One pass over a subject. It may return fewer topics than wanted: the planner requests another pass or stops."""

    model: Model

    async def __call__(self, event: SubjectRequested) -> Iterable[Event]:
        fields = {
            "subject": event.subject,
            "about": event.about,
            "count": str(event.wanted),
            "known": _join(event.known),
            "covered": _join(f"{path} ({topics})" for path, topics in event.covered.items()),
        }
        try:
            form, calls = await self.model.structured(fields, Topics, seed=seed(event.id))
            leaves, failed = form.topics, None
        except Malformed as error:
            leaves, calls, failed = [], error.calls, str(error)
        fresh = tuple(_new_topics(leaves, event))[: event.wanted]
        return [
            TopicExpanded.after(
                event,
                ROLE,
                plan=event.plan,
                subject=event.subject,
                wanted=event.wanted,
                topics=fresh,
                calls=calls,
                failed=failed,
            )
        ]


def _join(names: Iterable[str]) -> str:
    return "; ".join(one_line(name).replace(";", ",") for name in names) or "none"


def _new_topics(leaves: Iterable[Leaf], event: SubjectRequested) -> Iterator[Topic]:
    """Yield topics that are neither known nor repeated. Their text is neutralised here, where it enters."""
    seen = {canonical_name(name) for name in event.known} | {""}
    for leaf in leaves:
        name = one_line(leaf.topic)
        form = canonical_name(name)
        if form not in seen and not any(is_misspelling(form, other) for other in seen):
            seen.add(form)
            yield Topic(subject=event.subject, field=one_line(leaf.field), subfield=one_line(leaf.subfield), name=name)
