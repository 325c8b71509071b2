"""A subject becomes topics: fine, distinct, each at the end of a path field › subfield › topic."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from schemas.events import Event, SubjectRequested, TopicExpanded
from schemas.identity import normal_form, seed
from schemas.item import Topic
from shared.errors import Invalid
from shared.ports import Malformed, Model

ROLE = "expansion"

_JOINT = re.compile(r"\s*(?:,|&|\band\b)\s*")


class Leaf(BaseModel):
    """One topic with its path."""

    field: str
    subfield: str
    topic: str


class Topics(BaseModel):
    topics: list[Leaf]


@dataclass(frozen=True, slots=True)
class ExpandSubject:
    """One pass over a subject. Fewer topics than wanted is an answer too: the planner asks again or stops."""

    model: Model

    async def __call__(self, event: SubjectRequested) -> Iterable[Event]:
        fields = {
            "subject": event.subject,
            "about": event.about,
            "count": str(event.wanted),
            "known": "; ".join(name.replace(";", ",") for name in event.known) or "none",
        }
        try:
            form, calls = await self.model.structured(fields, Topics, seed=seed(event.id))
        except Malformed as error:
            raise Invalid(f"no topics for {event.subject}: {error}") from error
        fresh = tuple(_fresh(form.topics, event))[: event.wanted]
        return [
            TopicExpanded.after(
                event,
                ROLE,
                plan=event.plan,
                subject=event.subject,
                wanted=event.wanted,
                topics=fresh,
                calls=calls,
            )
        ]


def _fresh(leaves: Iterable[Leaf], event: SubjectRequested) -> Iterator[Topic]:
    """Those that are neither known nor said twice."""
    seen = {same_topic(name) for name in event.known} | {""}
    for leaf in leaves:
        name = " ".join(leaf.topic.split())
        if (form := same_topic(name)) not in seen:
            seen.add(form)
            yield Topic(subject=event.subject, field=leaf.field.strip(), subfield=leaf.subfield.strip(), name=name)


def same_topic(name: str) -> str:
    """Equal for names that differ in case, spacing, or the order of their parts: "A and B" is "B & A"."""
    return " and ".join(sorted(part for part in _JOINT.split(normal_form(name)) if part))
