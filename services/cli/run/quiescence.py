"""Is nothing left to do? A run that has its rows still waits for what no row waits for: audits."""

import asyncio
from collections.abc import Collection

from shared.config.connections import KafkaAccess
from shared.kafka.clients import KafkaError
from shared.kafka.lag import GroupLag, group_lags

PATIENCE_S = 15.0


async def is_drained(access: KafkaAccess, factory: str, services: Collection[str]) -> bool:
    """Whether these services have finished every record on the log; not when Kafka does not answer.

    What is under way lies uncommitted on some Kafka topic. Ends are read after all commits, so that nothing slips
    through between two of them.
    """
    waiting = await pending(access, factory)
    return waiting is not None and not any(one.lag for one in waiting if one.service in services)


async def pending(access: KafkaAccess, factory: str) -> list[GroupLag] | None:
    """What every service has still to do; `None` when Kafka does not answer, or has not all Kafka topics yet."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await group_lags(access, factory)
    except (KafkaError, TimeoutError, OSError):
        return None
