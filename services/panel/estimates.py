"""Follows belief.estimated: decisions that begin later use the parameters of the latest release with enough items."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

from schemas.config.policies import Verification
from schemas.events import BeliefEstimated
from schemas.flow import SERVICE
from services.panel.criteria import ENOUGH_ITEMS, LatestEstimate, criteria_of
from shared.config.settings import Settings
from shared.kafka.clients import KafkaError
from shared.kafka.read.tail import tail
from shared.runtime.background_task import run_in_background

log = logging.getLogger(__name__)

RETRY_S = 1.0


@asynccontextmanager
async def estimates_keeper(settings: Settings, plan: Verification, latest: LatestEstimate) -> AsyncIterator[None]:
    """Keep the criteria those of the latest release until the end of the block, which begins once they are known."""
    is_known = asyncio.Event()
    async with run_in_background(partial(_follow, settings, plan, latest, is_known)):
        await is_known.wait()
        yield


async def _follow(
    settings: Settings, plan: Verification, latest: LatestEstimate, is_known: asyncio.Event, stopping: asyncio.Event
) -> None:
    while not stopping.is_set():
        try:
            async with aclosing(tail(settings.kafka_access, settings.factory, SERVICE["panel"].reads)) as events:
                newest: BeliefEstimated | None = None
                async for event in events:
                    if isinstance(event, BeliefEstimated) and event.estimate.items >= ENOUGH_ITEMS:
                        newest = event
                    elif event is None:
                        if newest:
                            latest.criteria = await asyncio.to_thread(criteria_of, newest, plan)
                            newest = None
                        is_known.set()
        except (KafkaError, OSError) as error:
            log.warning("cannot read estimates of belief yet: %s: %s", type(error).__name__, error)
        await asyncio.sleep(RETRY_S)
