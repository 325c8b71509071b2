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
from services.screening.fingerprint import sketch
from shared.cache.near_duplicates import ValkeyTwins
from shared.config.settings import Settings
from shared.kafka.clients import KafkaError
from shared.kafka.read.until_end import past
from shared.ports import Sketch
from shared.runtime.background_task import beside

log = logging.getLogger(__name__)

EVERY_S = 1.0
AT_ONCE = 100
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
async def librarian(settings: Settings, twins: ValkeyTwins, *, worded: bool) -> AsyncIterator[None]:
    """Mind the index, with statements or without, until the end of the block."""
    async with beside(partial(_mind, settings, twins, worded)):
        yield


async def _mind(settings: Settings, twins: ValkeyTwins, worded: bool, over: asyncio.Event) -> None:
    while not over.is_set():
        try:
            if not await twins.is_open():
                async with aclosing(passed(settings, worded)) as known:
                    count = await twins.rebuild(known)
                if count is not None:
                    log.info("index of near duplicates rebuilt from %d records of the log", count)
        except (KafkaError, OSError) as error:
            log.warning("what was screened cannot be read from the log yet: %s: %s", type(error).__name__, error)
        await asyncio.sleep(EVERY_S)


async def passed(settings: Settings, worded: bool = False) -> AsyncGenerator[list[tuple[Sketch, UUID]], None]:
    """Problems that the log says have passed screening, each perhaps several times."""
    async with aclosing(past(settings.kafka_access, settings.factory, SERVICE["screening"].reads)) as told:
        async for values in told:
            for start in range(0, len(values), AT_ONCE):
                found = map(_item, values[start : start + AT_ONCE])
                yield [(sketch(item.problem, worded=worded), item.id) for item in found if item is not None]
                await asyncio.sleep(0)


def _item(value: bytes) -> _Item | None:
    """The item, if it passed. Of a record that is no event, nothing: it becomes a dead letter elsewhere."""
    try:
        item = _Known.model_validate_json(value).item
    except ValidationError:
        return None
    return item if any(step.type == ProblemScreened.type for step in item.lineage) else None
