"""Initialises the index of near duplicates from the log when Valkey has none."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from uuid import UUID

from pydantic import BaseModel, ValidationError

from schemas.events import ProblemScreened
from schemas.flow import SERVICE
from schemas.item import Problem
from services.screening.fingerprint import fingerprint
from shared.cache.near_duplicates import ValkeyNearDuplicateIndex
from shared.config.settings import Settings
from shared.kafka.clients import KafkaError
from shared.kafka.read.until_end import read_to_end
from shared.ports import TextFingerprint
from shared.runtime.background_task import run_in_background

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 1.0
MAX_PENDING = 100
"""Problems that are processed before other tasks may run."""


class _Step(BaseModel):
    type: str


class _Item(BaseModel):
    id: UUID
    problem: Problem
    lineage: tuple[_Step, ...]


class _ScreenedEvent(BaseModel):
    """The part of an event that the index needs: parsing the rest would take most of the time."""

    item: _Item


@asynccontextmanager
async def index_keeper(settings: Settings, index: ValkeyNearDuplicateIndex, *, with_text: bool) -> AsyncIterator[None]:
    """Keep the index initialised until the end of the block."""
    async with run_in_background(partial(_keep_initialised, settings, index, with_text)):
        yield


async def _keep_initialised(
    settings: Settings, index: ValkeyNearDuplicateIndex, with_text: bool, stopping: asyncio.Event
) -> None:
    while not stopping.is_set():
        try:
            if not await index.is_open():
                async with aclosing(screened_problems(settings, with_text)) as problems:
                    count = await index.rebuild(problems)
                if count is not None:
                    log.info("index of near duplicates rebuilt from %d records of the log", count)
        except (KafkaError, OSError) as error:
            log.warning("cannot read screened problems from the log yet: %s: %s", type(error).__name__, error)
        await asyncio.sleep(CHECK_INTERVAL_S)


async def screened_problems(
    settings: Settings, with_text: bool = False
) -> AsyncGenerator[list[tuple[TextFingerprint, UUID]], None]:
    """Yield the problems in the log that passed screening, possibly repeated."""
    async with aclosing(read_to_end(settings.kafka_access, settings.factory, SERVICE["screening"].reads)) as batches:
        async for values in batches:
            for start in range(0, len(values), MAX_PENDING):
                items = map(_item, values[start : start + MAX_PENDING])
                yield [(fingerprint(item.problem, with_text=with_text), item.id) for item in items if item is not None]
                await asyncio.sleep(0)


def _item(value: bytes) -> _Item | None:
    """Return the item if it passed screening; None also for a record that is not an event."""
    try:
        item = _ScreenedEvent.model_validate_json(value).item
    except ValidationError:
        return None
    return item if any(step.type == ProblemScreened.type for step in item.lineage) else None
