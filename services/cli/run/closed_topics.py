"""Topics that the planner has closed, with reasons, from its latest snapshot."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.flow import SERVICE
from services.cli.common.names import FACTORY
from services.planner.state import State
from shared.config.connections import KafkaAccess
from shared.kafka.clients import KafkaError
from shared.text.controls import strip_controls

if TYPE_CHECKING:
    from shared.runtime.machine import Snapshot

TIMEOUT_S = 5.0
MAX_NAMED = 5
"""Largest number of topics named for a person."""
REASONS = {"defects": "closed for defects", "repeats": "exhausted, only repetitions", "yield": "paused, too few rows"}


@dataclass(frozen=True, slots=True)
class ClosedTopic:
    """One topic. `reason`: defects, repeats, yield."""

    subject: str
    topic: str
    reason: str


async def closed_topics(access: KafkaAccess) -> list[ClosedTopic]:
    """Return every closed topic; an empty list before the planner has started, and while Kafka does not answer."""
    from shared.runtime.machine import read_snapshot  # imports the whole runtime

    ((state, _),) = SERVICE["planner"].state
    try:
        async with asyncio.timeout(TIMEOUT_S):
            snapshot = await read_snapshot(access, FACTORY, state)
    except (KafkaError, OSError, TimeoutError):
        return []
    return [*read(snapshot)] if snapshot else []


def read(snapshot: "Snapshot") -> Iterator[ClosedTopic]:
    """Yield the closed topics of a planner's snapshot."""
    state = State.model_validate(snapshot.state)
    for name, subject in state.subjects.items():
        yield from (ClosedTopic(name, one.topic.name, one.closed) for one in subject.topics if one.closed)


def describe(topics: Sequence[ClosedTopic]) -> list[str]:
    """Return a line for each reason, for a person."""
    lines = []
    for reason, description in REASONS.items():
        names = [strip_controls(f"{one.topic} ({one.subject})") for one in topics if one.reason == reason]
        if names:
            more = ", …" if len(names) > MAX_NAMED else ""
            lines.append(f"topics    {len(names)} {description}: {', '.join(names[:MAX_NAMED])}{more}")
    return lines
