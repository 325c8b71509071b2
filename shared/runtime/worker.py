"""Handles one event of a stateless service, idempotently.

decode ─► claim ─► count the attempt ─► handle ─► record the outcome ─► publish ─► done marker ─► (the loop commits)

An event that fails is retried or becomes a dead letter, which is then its recorded outcome; none is dropped. An event
that another process still works on, because a rebalance or a deploy interrupted a long call, is waited for.

A process that crashes takes down all events in flight, and one of them may be the cause. An event that was in flight
in one crash is handled again beside others. From the second crash on it is handled alone, so that a third crash is
certainly caused by it, and only this event becomes a dead letter.
"""

import asyncio
import logging

from schemas.events import Event
from shared.backoff import backoff
from shared.cache.idempotency import ClaimResult, IdempotencyStore
from shared.cache.leases import LeaseLost
from shared.call_journal import Journal, journalled
from shared.config.settings import Settings
from shared.errors import Invalid, Transient
from shared.kafka.clients import ConsumerRecord, Producer
from shared.kafka.codec import encode_outputs, pack, tag_of, unpack
from shared.kafka.dlq.dead_letter import is_replay, position_of_letter
from shared.runtime.processor import Processor
from shared.runtime.service import Handler
from shared.runtime.slots import Slots
from shared.telemetry.metrics import REDELIVERIES, RETRIES, SLOTS, SLOTS_BUSY

log = logging.getLogger(__name__)

QUARANTINE_AFTER = 2
"""Crashes from which an event is handled alone."""
RECHECK_S = 0.5
"""Interval of checks whether another process has finished an event."""


class Worker:
    """Handles records for a ConsumerLoop."""

    def __init__(self, settings: Settings, handle: Handler, outcomes: IdempotencyStore, producer: Producer) -> None:
        self._settings = settings
        self._handle = handle
        self._outcomes = outcomes
        self._processor = Processor(settings, producer)
        self._slots = Slots(settings.in_flight)
        self._sleeping: set[asyncio.Task[object] | None] = set()
        self._stopping = False
        SLOTS.labels(settings.service).set(settings.in_flight)
        self._slots_busy = SLOTS_BUSY.labels(settings.service)

    def capacity(self) -> int:
        """Return how many records may be in flight. Sleeping ones free capacity, up to the number of slots."""
        slots, sleeping = self._settings.in_flight, len(self._sleeping)
        return 0 if sleeping >= slots else slots + sleeping

    def stop(self) -> None:
        """Cancel what sleeps: another process can handle it."""
        self._stopping = True
        for task in self._sleeping:
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
                    outcome = claim.outcome or await self._work(record, event, claim, calls)
                    messages = unpack(outcome)
                    await self._processor.publish(messages)
                    letter = position_of_letter(messages)
                    await self._outcomes.done(event.id, letter)
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
        claim = await self._outcomes.claim(event.id, replayed)
        while claim.lease is None and not claim.done:
            await self._sleep_without_slot(RECHECK_S)
            claim = await self._outcomes.claim(event.id, replayed)
        return claim

    async def _work(self, record: ConsumerRecord, event: Event, claim: ClaimResult, calls: Journal) -> bytes:
        """Handle an event and record the outcome: what it produced, or its dead letter. Returns the recorded one."""
        try:
            return await self._attempt(record, event, claim, calls)
        except _GaveUp as gave_up:
            letter = self._processor.build_dead_letter(record, gave_up.error, gave_up.attempts)
            return await self._outcomes.record(event.id, pack(letter))

    async def _attempt(self, record: ConsumerRecord, event: Event, claim: ClaimResult, calls: Journal) -> bytes:
        """Try until an attempt succeeds. Raises _GaveUp."""
        error: BaseException = RuntimeError("the process died while it worked on this event")
        slot = self._slots.exclusive if claim.crashes >= QUARANTINE_AFTER else self._slots.shared
        tag, number, limit = tag_of(record.headers), claim.attempts, self._settings.attempts
        while number < limit:
            async with slot():
                attempt = await self._outcomes.begin(event.id)
                number = attempt.number
                try:
                    with self._slots_busy.track_inprogress():
                        async with journalled(calls):
                            produced = await self._handle(event)
                    self._processor.record_success()
                    messages = encode_outputs(produced, self._processor.source, tag)
                    return await self._outcomes.record(event.id, pack(messages))
                except (asyncio.CancelledError, LeaseLost):
                    await self._outcomes.release(event.id, attempt)
                    raise
                except Invalid as invalid:
                    raise _GaveUp(invalid, number) from invalid
                except Transient as transient:
                    error = transient
                    log.warning("attempt %d of %d: %s", number, limit, transient)
                except Exception as bug:
                    error = bug
                    log.exception("attempt %d of %d: a bug", number, limit)
                await self._outcomes.mark_failed(event.id, attempt)
            if number < limit:
                RETRIES.labels(self._settings.service, "transient" if isinstance(error, Transient) else "bug").inc()
                await self._sleep_without_slot(backoff(self._settings.backoff_s, number - 1))
        if not isinstance(error, Transient):
            self._processor.record_bug(error)
        raise _GaveUp(error, number) from error

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
    def __init__(self, error: BaseException, attempts: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts
