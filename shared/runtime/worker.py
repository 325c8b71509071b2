"""Stateless work: one event in, what follows from it out, once.

decode ─► claim ─► count the attempt ─► handle ─► record the outcome ─► publish ─► done marker ─► (intake commits)

Whatever fails on the way either comes again or becomes a dead letter; nothing is dropped. An event on which another
process still works, because a rebalance or a deploy outran a long call, is waited for.

A process that dies takes down whatever it had in flight, and one event may be the cause. An event that saw one death
was most likely beside it (a machine was lost): it runs with all others again. From the second on it runs alone, so that
a third death is its own, and only the guilty one is counted until it becomes a dead letter.
"""

import asyncio
import logging
from time import monotonic, time

from schemas.audit_tag import AuditTag
from schemas.events import Event
from shared.backoff import backoff
from shared.cache.idempotency import ClaimResult, IdempotencyStore
from shared.cache.leases import LeaseLost
from shared.call_journal import Journal, journalled
from shared.config.settings import Settings
from shared.errors import Invalid, Refusal, Transient
from shared.kafka.clients import ConsumerRecord, Producer
from shared.kafka.codec import audit_tag_of, decode, encode_outputs, pack, unpack
from shared.kafka.dlq.dead_letter import Failure, is_addressed_to, to_record
from shared.kafka.names import flow_name
from shared.runtime.service import Handler
from shared.runtime.slots import Slots
from shared.telemetry.logs import about
from shared.telemetry.metrics import (
    AGE,
    DURATION,
    EVENTS,
    IN_FLIGHT,
    PRODUCED,
    REDELIVERIES,
    RETRIES,
    SLOTS,
    SLOTS_BUSY,
)
from shared.telemetry.traces import handling

log = logging.getLogger(__name__)

QUARANTINE_AFTER = 2
"""Deaths from which an event runs alone."""
RECHECK_S = 0.5
"""How often to look whether another process is done with an event."""


class Worker:
    """Handles records for an Intake."""

    def __init__(self, settings: Settings, handle: Handler, outcomes: IdempotencyStore, producer: Producer) -> None:
        self._settings = settings
        self._handle = handle
        self._outcomes = outcomes
        self._producer = producer
        self._slots = Slots(settings.in_flight)
        self._resting: set[asyncio.Task[object] | None] = set()
        self._stopping = False
        self._bugs = 0
        SLOTS.labels(settings.service).set(settings.in_flight)
        self._slots_busy = SLOTS_BUSY.labels(settings.service)

    def capacity(self) -> int:
        """Records that may be under way. Those that rest make room, but only so many may rest."""
        slots, resting = self._settings.in_flight, len(self._resting)
        return 0 if resting >= slots else slots + resting

    def stop(self) -> None:
        """Give up what only waits: nothing runs there that another process could not begin."""
        self._stopping = True
        for task in self._resting:
            if task:
                task.cancel()

    async def __call__(self, record: ConsumerRecord) -> None:
        """Finish a record for good. Raises only when the process must stop."""
        if not is_addressed_to(self._settings.service, record.headers):
            return
        with IN_FLIGHT.labels(self._settings.service).track_inprogress():
            await self._finish(flow_name(self._settings.factory, record.topic), record)

    async def _finish(self, name: str, record: ConsumerRecord) -> None:
        started, exemplar = monotonic(), None
        AGE.labels(self._settings.service, name).observe(max(0.0, time() - record.timestamp / 1000))
        try:
            event = decode(name, record.key, record.value, record.headers)
        except Invalid as error:
            await self._to_dead_letter(name, record, error, attempts=1)
            outcome = "dead_letter"
        else:
            exemplar = {"trace_id": event.trace.hex}
            with about(event), handling(event, self._settings.service):
                outcome = await self._idempotently(name, record, event)
        EVENTS.labels(self._settings.service, name, outcome).inc()
        DURATION.labels(self._settings.service, name).observe(monotonic() - started, exemplar)

    async def _idempotently(self, name: str, record: ConsumerRecord, event: Event) -> str:
        while lease := (known := await self._claimed(event)).lease:
            try:
                async with self._outcomes.holding(event.id, lease, known.calls) as calls:
                    return await self._work(name, record, event, known, calls)
            except LeaseLost:
                log.warning("another process took this event on while we were silent; its result is waited for")
        return "repeated"

    async def _claimed(self, event: Event) -> ClaimResult:
        """Wait until an event is ours to work on, or another process is done with it."""
        known = await self._outcomes.claim(event.id)
        while known.lease is None and not known.done:
            await self._sleep_without_slot(RECHECK_S)
            known = await self._outcomes.claim(event.id)
        return known

    async def _work(self, name: str, record: ConsumerRecord, event: Event, known: ClaimResult, calls: Journal) -> str:
        if known.attempts:
            REDELIVERIES.labels(self._settings.service, name).inc()
        outcome = known.outcome
        if outcome is None:
            try:
                outcome = await self._attempt(event, audit_tag_of(record.headers), known, calls)
            except _GaveUp as given_up:
                await self._to_dead_letter(name, record, given_up.error, given_up.attempts)
                await self._outcomes.reset(event.id)
                return "dead_letter"
        messages = unpack(outcome)
        await self._producer.publish(messages)
        for message in messages:
            PRODUCED.labels(self._settings.service, message.name).inc()
        await self._outcomes.done(event.id)
        return "done"

    async def _attempt(self, event: Event, mark: AuditTag | None, known: ClaimResult, calls: Journal) -> bytes:
        """Try until it works or is given up. Returns the outcome that is on record."""
        error: BaseException = RuntimeError("the process died while it worked on this event")
        room = self._slots.exclusive if known.crashes >= QUARANTINE_AFTER else self._slots.shared
        tried, most = known.attempts, self._settings.attempts
        while tried < most:
            async with room():
                attempt = await self._outcomes.begin(event.id)
                tried = attempt.number
                try:
                    with self._slots_busy.track_inprogress():
                        async with journalled(calls):
                            produced = await self._handle(event)
                    self._bugs = 0
                    return await self._outcomes.record(event.id, pack(encode_outputs(produced, self._source, mark)))
                except (asyncio.CancelledError, LeaseLost):
                    await self._outcomes.release(event.id, attempt)
                    raise
                except Invalid as invalid:
                    raise _GaveUp(invalid, tried) from invalid
                except Transient as transient:
                    error = transient
                    log.warning("attempt %d of %d: %s", tried, most, transient)
                except Exception as bug:
                    error = bug
                    log.exception("attempt %d of %d: a bug", tried, most)
                await self._outcomes.mark_failed(event.id, attempt)
            if tried < most:
                RETRIES.labels(self._settings.service, "transient" if isinstance(error, Transient) else "bug").inc()
                await self._sleep_without_slot(backoff(self._settings.backoff_s, tried - 1))
        if not isinstance(error, Transient):
            self._count_bug(error)
        raise _GaveUp(error, tried) from error

    async def _sleep_without_slot(self, seconds: float) -> None:
        """Wait without a slot."""
        if self._stopping:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        self._resting.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._resting.discard(task)

    def _count_bug(self, error: BaseException) -> None:
        self._bugs += 1
        if self._bugs >= self._settings.bugs_in_a_row:
            raise Refusal(
                f"{self._bugs} events in a row failed by a bug; the last: {type(error).__name__}: {error}",
                "Stopped before more become dead letters. The traceback is in the log; fix it and start again",
            ) from error

    async def _to_dead_letter(self, name: str, record: ConsumerRecord, error: BaseException, attempts: int) -> None:
        log.error("dead letter: %s %d/%d: %s", name, record.partition, record.offset, error)
        failure = Failure(self._settings.factory, self._settings.service, error, attempts)
        await self._producer.publish(to_record(name, record, failure))

    @property
    def _source(self) -> str:
        return f"{self._settings.factory}/{self._settings.service}"


class _GaveUp(Exception):
    def __init__(self, error: BaseException, attempts: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts
