"""Handles one event of a stateless service, idempotently.

decode ─► claim and count the attempt ─► handle ─► record the outcome ─► publish ─► done marker ─► (the loop commits)

An event that fails is retried or becomes a dead letter, which is then its recorded outcome; none is dropped. While the
last events all failed (flood_guard.py), events stay in flight and none becomes a dead letter, so that a process at
capacity consumes nothing; tries then do not count as attempts. An event that another process still works on, because a
rebalance or a deploy interrupted a long call, is waited for.

A process that crashes takes down all events in flight, and one of them may be the cause. An event that was in flight
in one crash is handled again beside others. From the second crash on it is handled alone, so that a third crash is
certainly caused by it, and only this event becomes a dead letter.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from schemas.events import Event, ItemEvent
from shared.audit_items import not_judged
from shared.backoff import backoff
from shared.cache.idempotency import ClaimResult, IdempotencyStore
from shared.cache.leases import LeaseLost
from shared.call_journal import Journal, journalled
from shared.config.settings import Settings
from shared.errors import Invalid, OverBudget, Transient
from shared.interruption import Interruptible
from shared.kafka.clients import ConsumerRecord, Producer
from shared.kafka.codec import Message, audit_tag_of, encode_outputs, pack, tag_of, unpack
from shared.kafka.dlq.dead_letter import is_replay, position_of_letter
from shared.ports import TaggedEvent
from shared.runtime.processor import Processor
from shared.runtime.service import Handler
from shared.runtime.slots import Slots
from shared.telemetry.metrics import REDELIVERIES, RETRIES, SLOTS, SLOTS_BUSY

log = logging.getLogger(__name__)

QUARANTINE_AFTER = 2
"""Crashes from which an event is handled alone."""
SLOTS_PER_EXTRA = 8
"""Records in flight beyond the slots: one for every 8 slots."""
RECHECK_S = 0.5
"""Interval of checks whether another process has finished an event."""


class Worker:
    """Handles records for a ConsumerLoop."""

    def __init__(self, settings: Settings, handle: Handler, outcomes: IdempotencyStore, producer: Producer) -> None:
        self._settings = settings
        self._handle = handle
        self._outcomes = outcomes
        self._processor = Processor(settings, producer)
        self._guard = self._processor.guard
        self._slots = Slots(settings.in_flight)
        self._sleeping: set[asyncio.Task[object] | None] = set()
        self._waiting: set[asyncio.Task[object] | None] = set()
        """Events that wait for their turn while the service is stopped. They do not free capacity."""
        self._handling: set[Interruptible] = set()
        self._stopping = False
        SLOTS.labels(settings.service).set(settings.in_flight)
        self._slots_busy = SLOTS_BUSY.labels(settings.service)

    def capacity(self) -> int:
        """Return how many records may be in flight. Sleeping ones free capacity, up to the number of slots.

        A few more than slots: they are claimed, or published, while as many others as there are slots are handled.
        """
        slots, sleeping = self._settings.in_flight, len(self._sleeping)
        return 0 if sleeping >= slots else slots + slots // SLOTS_PER_EXTRA + sleeping

    def why_stopped(self) -> str | None:
        """Return why no event becomes a dead letter at present; `None` while events are handled."""
        return self._guard.why_stopped()

    def stop(self) -> None:
        """Cancel what sleeps, or waits for its turn or an endpoint: another process can handle it."""
        self._stopping = True
        for handling in list(self._handling):
            handling.stop()
        for task in self._sleeping | self._waiting:
            if task:
                task.cancel()

    async def __call__(self, record: ConsumerRecord) -> None:
        """Finish a record. Raises only when the process must stop."""
        if not self._processor.is_addressed(record):
            return
        with self._processor.measure([record]):
            try:
                event = self._processor.decode(record)
            except Invalid as error:
                await self._processor.to_dead_letter(record, error)
                return
            with self._processor.context(event):
                self._processor.count(record, await self._finish(record, event))

    async def _finish(self, record: ConsumerRecord, event: Event) -> str:
        """Handle an event unless it is finished. Returns the outcome for the metrics."""
        position = f"{record.partition}/{record.offset}"
        while lease := (claim := await self._claim(record, event, position)).lease:
            try:
                if claim.attempts:
                    REDELIVERIES.labels(self._settings.service, self._processor.name_of(record)).inc()
                async with self._outcomes.hold_lease(event.id, lease, claim.calls) as calls:
                    if claim.outcome:
                        messages = unpack(claim.outcome)
                    else:
                        messages = await self._work(record, event, claim, calls)
                    await self._processor.publish(messages)
                    letter = position_of_letter(messages)
                    self._outcomes.done(event.id, letter)
            except LeaseLost:
                log.warning("another process took this event over while this one was silent; waiting for its result")
            else:
                if letter is None:
                    return "done"
                if letter == position:
                    return "dead_letter"
        return "repeated"

    async def _claim(self, record: ConsumerRecord, event: Event, position: str) -> ClaimResult:
        """Wait until this process owns the event, or the event is finished."""
        replayed = position if is_replay(record.headers) else None
        begin = not self._guard.stopped and self._slots.has_free
        claim = await self._outcomes.claim(event.id, replayed, begin=begin)
        while claim.lease is None and not claim.done:
            await self._sleep_without_slot(RECHECK_S)
            claim = await self._outcomes.claim(event.id, replayed)
        return claim

    async def _work(self, record: ConsumerRecord, event: Event, claim: ClaimResult, calls: Journal) -> list[Message]:
        """Handle an event and record the outcome: what it produced, or its dead letter. Returns the recorded one."""
        try:
            return await self._attempt(record, event, claim, calls)
        except _GaveUp as gave_up:
            tag = audit_tag_of(record.headers)
            if tag and isinstance(event, ItemEvent) and isinstance(gave_up.error, OverBudget):
                judged = not_judged(event, self._settings.service, event.item, tag, str(gave_up.error))
                return await self._record(event, list(encode_outputs([judged], self._processor.source, tag)))
            return await self._record(event, self._processor.build_dead_letter(record, gave_up.error, gave_up.attempts))

    async def _record(self, event: Event, messages: list[Message]) -> list[Message]:
        """Record an outcome. Returns the recorded one: an earlier one counts."""
        outcome = pack(messages)
        recorded = await self._outcomes.record(event.id, outcome)
        return messages if recorded is outcome else unpack(recorded)

    async def _attempt(self, record: ConsumerRecord, event: Event, claim: ClaimResult, calls: Journal) -> list[Message]:
        """Try until an attempt succeeds. Raises _GaveUp."""
        error: Exception = RuntimeError("the process died while it worked on this event")
        slot = self._slots.exclusive if claim.crashes >= QUARANTINE_AFTER else self._slots.shared
        tag, number, limit = tag_of(record.headers), claim.attempts, self._settings.attempts
        attempt, gives_up = claim.begun, False
        if number >= limit:
            await self._until_resumed()
        while number < limit:
            try:
                async with self._turn(), slot():
                    attempt = attempt or await self._outcomes.begin(event.id)
                    try:
                        produced = await self._call(event, calls)
                        outcome = list(encode_outputs(produced, self._processor.source, tag))
                        self._guard.record_success()
                        return await self._record(event, outcome)
                    except LeaseLost:
                        raise
                    except Exception as failure:  # noqa: BLE001 - a bug too makes a dead letter
                        error = failure
                    _log_failure(error, attempt.number, limit)
                    gives_up = attempt.number >= limit or isinstance(error, Invalid)
                    if (gives_up or self._guard.stopped) and not self._guard.record_failure(error):
                        await self._outcomes.release(event.id, attempt)
                        attempt = None
                        continue
                    number = attempt.number
                    await self._outcomes.mark_failed(event.id, attempt)
                    attempt = None
            except (asyncio.CancelledError, LeaseLost):
                if attempt:
                    await self._outcomes.release(event.id, attempt)
                raise
            if gives_up:
                break
            RETRIES.labels(self._settings.service, "transient" if isinstance(error, Transient) else "bug").inc()
            await self._sleep_without_slot(backoff(self._settings.backoff_s, number - 1))
        raise _GaveUp(error, number) from error

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            with self._waiting_for_turn():
                await stack.enter_async_context(self._guard.attempt())
            yield

    async def _until_resumed(self) -> None:
        with self._waiting_for_turn():
            await self._guard.until_resumed()

    @contextmanager
    def _waiting_for_turn(self) -> Iterator[None]:
        """Let `stop` cancel the task until the end of the block."""
        if self._stopping:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            yield
        finally:
            self._waiting.discard(task)

    async def _call(self, event: Event, calls: Journal) -> Iterable[Event | TaggedEvent]:
        """Call the handler with a journal. After `stop`, cancelled while it waits for an endpoint."""
        handling = Interruptible(asyncio.current_task())
        self._handling.add(handling)
        try:
            if self._stopping:
                handling.stop()
            with self._slots_busy.track_inprogress(), handling.entered():
                async with journalled(calls):
                    return await self._handle(event)
        finally:
            self._handling.discard(handling)

    async def _sleep_without_slot(self, seconds: float) -> None:
        """Sleep without a slot."""
        if self._stopping:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        self._sleeping.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._sleeping.discard(task)


class _GaveUp(Exception):
    def __init__(self, error: Exception, attempts: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts


def _log_failure(error: Exception, attempt: int, limit: int) -> None:
    if isinstance(error, Invalid | Transient):
        log.warning("attempt %d of %d: %s", attempt, limit, error)
    else:
        log.error("attempt %d of %d: a bug", attempt, limit, exc_info=error)
