"""Why nothing moves: dead letters, services that are stopped or not ready, what planner and endpoints wait for."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from services.cli.common.names import FACTORY
from services.cli.common.process_metrics import ProcessMetrics
from shared.config.connections import KafkaAccess
from shared.kafka.clients import KafkaError
from shared.kafka.dlq.replay import list_dead_letters
from shared.runtime.flood_guard import STOPPED

TIMEOUT_S = 30.0
UNREADY_AFTER_S = 10.0
"""A service that is not ready blocks nothing while events still arrive: it may just be rebalancing."""


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


async def pending_dead_letters(access: KafkaAccess) -> dict[str, int]:
    """Return the number of pending dead letters by event; empty when Kafka does not answer."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            letters = await list_dead_letters(access, FACTORY)
    except (KafkaError, OSError, TimeoutError):
        return {}
    return dict(Counter(letter.name for letter in letters if not letter.settled).most_common())
