"""Keeps the index of near duplicates whole: fills it from the log when Valkey has none."""

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

EVERY_S = 1.0
MAX_PENDING = 100
"""Problems between two moments in which the process may do something else."""


class _Step(BaseModel):
    type: str


class _Item(BaseModel):
    id: UUID
    problem: Problem
    lineage: tuple[_Step, ...]


class _Known(BaseModel):
    """Of an event, only what screening remembers: reading the rest would take most of the time."""

    item: _Item


@asynccontextmanager
async def index_keeper(settings: Settings, twins: ValkeyNearDuplicateIndex, *, worded: bool) -> AsyncIterator[None]:
    """Mind the index, with statements or without, until the end of the block."""
    async with run_in_background(partial(_keep_initialised, settings, twins, worded)):
        yield


async def _keep_initialised(
    settings: Settings, twins: ValkeyNearDuplicateIndex, worded: bool, over: asyncio.Event
) -> None:
    while not over.is_set():
        try:
            if not await twins.is_open():
                async with aclosing(screened_problems(settings, worded)) as known:
                    count = await twins.rebuild(known)
                if count is not None:
                    log.info("index of near duplicates rebuilt from %d records of the log", count)
        except (KafkaError, OSError) as error:
            log.warning("what was screened cannot be read from the log yet: %s: %s", type(error).__name__, error)
        await asyncio.sleep(EVERY_S)


async def screened_problems(
    settings: Settings, worded: bool = False
) -> AsyncGenerator[list[tuple[TextFingerprint, UUID]], None]:
    """Problems that the log says have passed screening, each perhaps several times."""
    async with aclosing(read_to_end(settings.kafka_access, settings.factory, SERVICE["screening"].reads)) as told:
        async for values in told:
            for start in range(0, len(values), MAX_PENDING):
                found = map(_item, values[start : start + MAX_PENDING])
                yield [(fingerprint(item.problem, worded=worded), item.id) for item in found if item is not None]
                await asyncio.sleep(0)


def _item(value: bytes) -> _Item | None:
    """The item, if it passed. Of a record that is no event, nothing: it becomes a dead letter elsewhere."""
    try:
        item = _Known.model_validate_json(value).item
    except ValidationError:
        return None
    return item if any(step.type == ProblemScreened.type for step in item.lineage) else None
