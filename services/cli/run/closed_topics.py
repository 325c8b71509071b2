"""Topics that are asked no more, and why: from what the planner wrote down last."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.flow import SERVICE
from services.cli.common.sanitize_terminal import strip_controls
from services.cli.run.local_factory import FACTORY
from shared.config.connections import KafkaAccess
from shared.kafka.clients import KafkaError
from shared.kafka.read.snapshots import latest

PATIENCE_S = 5.0
NAMED = 5
"""Most topics that are named for a person."""
WHY = {"defects": "given up for defects", "repeats": "exhausted, they only repeat"}


@dataclass(frozen=True, slots=True)
class ClosedTopic:
    """One topic. `why`: defects, repeats."""

    subject: str
    topic: str
    why: str


async def closed_topics(access: KafkaAccess) -> list[ClosedTopic]:
    """Every one; none before the planner has started, or while Kafka does not answer."""
    ((state, _),) = SERVICE["planner"].state
    try:
        async with asyncio.timeout(PATIENCE_S):
            kept = await latest(access, FACTORY, state)
    except (KafkaError, OSError, TimeoutError):
        return []
    subjects = json.loads(kept)["state"]["subjects"] if kept else {}
    return [
        ClosedTopic(name, one["topic"]["name"], one["closed"])
        for name, subject in subjects.items()
        for one in subject["topics"]
        if one.get("closed")
    ]


def describe(found: Sequence[ClosedTopic]) -> list[str]:
    """For a person: a line for each reason."""
    lines = []
    for why, words in WHY.items():
        names = [strip_controls(f"{one.topic} ({one.subject})") for one in found if one.why == why]
        if names:
            more = ", …" if len(names) > NAMED else ""
            lines.append(f"topics    {len(names)} {words}: {', '.join(names[:NAMED])}{more}")
    return lines
