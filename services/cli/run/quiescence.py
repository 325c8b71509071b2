"""Whether every service has finished its records. A run with all its rows still waits for audits."""

import asyncio
from collections.abc import Collection

from shared.config.connections import KafkaAccess
from shared.kafka.clients import KafkaError
from shared.kafka.lag import GroupLag, group_lags

TIMEOUT_S = 15.0


async def is_drained(access: KafkaAccess, factory: str, services: Collection[str]) -> bool:
    """Return whether these services have finished every record on the log; False when Kafka does not answer.

    Work under way is an uncommitted record on some Kafka topic. End offsets are read after all commits, so that no
    record between two services is missed.
    """
    lags = await fetch_lags(access, factory)
    return lags is not None and not any(one.lag for one in lags if one.service in services)


async def fetch_lags(access: KafkaAccess, factory: str) -> list[GroupLag] | None:
    """Return the lag of every service; `None` when Kafka does not answer or lacks some Kafka topics."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await group_lags(access, factory)
    except (KafkaError, TimeoutError, OSError):
        return None
