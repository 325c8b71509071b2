"""Why nothing moves: dead letters, services that are stopped or not ready, what planner and endpoints wait for."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from schemas.events import SubjectRequested
from services.cli.common.names import FACTORY
from services.cli.common.process_metrics import ProcessMetrics
from shared.config.connections import KafkaAccess
from shared.kafka.clients import KafkaError
from shared.kafka.dlq.replay import DeadLetter, list_dead_letters
from shared.runtime.flood_guard import STOPPED
from shared.text.controls import strip_controls

TIMEOUT_S = 30.0
UNREADY_AFTER_S = 10.0
"""A service that is not ready blocks nothing while events still arrive: it may just be rebalancing."""

REASON_CHARS = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """Pending dead letters of one event that failed for one reason."""

    event: str
    service: str
    reason: str
    """Error class and first line of its message."""
    count: int
    subjects: Mapping[UUID, str] = field(default_factory=dict)
    """Subjects by request, for requests for topics."""

    def __str__(self) -> str:
        of = f" of {', '.join(sorted(set(self.subjects.values())))}" if self.subjects else ""
        return f"{self.event}{of} in {self.service}: {self.reason}"


def describe(metrics: Mapping[str, ProcessMetrics], quiet_s: float) -> str:
    """Return in one line what blocks the run; empty when nothing does. `quiet_s` is the time since the last event."""
    letters = {name: count for name, process in metrics.items() if (count := process.outcomes.get("dead_letter", 0))}
    parts = [f"dead letters: {', '.join(f'{count} {name}' for name, count in letters.items())}"] if letters else []
    parts += dict.fromkeys(wait for process in metrics.values() for wait in process.waits)
    parts += [
        f"not ready: {name}: {process.unready}"
        for name, process in metrics.items()
        if process.unready and (quiet_s > UNREADY_AFTER_S or process.unready.startswith(STOPPED))
    ]
    return " · ".join(parts)


async def pending_dead_letters(access: KafkaAccess) -> list[Failure]:
    """Return the pending dead letters by event and reason, most first; empty when Kafka does not answer."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            letters = await list_dead_letters(access, FACTORY)
    except (KafkaError, OSError, TimeoutError):
        return []
    return failures(letters)


def failures(letters: Iterable[DeadLetter]) -> list[Failure]:
    """Combine pending dead letters by event, service and reason."""
    counts, subjects = Counter[tuple[str, str, str]](), dict[tuple[str, str, str], dict[UUID, str]]()
    for letter in letters:
        if letter.settled:
            continue
        first = strip_controls(letter.message.strip().partition("\n")[0])[:REASON_CHARS]
        key = letter.name, letter.service, f"{letter.error}: {first}"
        counts[key] += 1
        if letter.name == SubjectRequested.type and isinstance(event := letter.event, SubjectRequested):
            subjects.setdefault(key, {})[event.id] = event.subject
    return [Failure(*key, count, subjects.get(key, {})) for key, count in counts.most_common()]


def lost_subjects(found: Sequence[Failure]) -> dict[UUID, str]:
    """Return the reason by request, for requests for topics that are dead letters."""
    return {request: str(failure) for failure in found for request in failure.subjects}
