"""The concurrent calls of this process at one endpoint: a FIFO queue before a bounded number of slots.

    closed circuit   calls get free slots; aimd.py finds how many there are
    open circuit     one probe of the model at a time (circuit_breaker.py); its other calls stay in the queue, and no
                     attempt is consumed; calls of other models pass them

A refused call keeps its slot and backs off shortly before it is repeated, so that one slot too many is tested now and
then without a busy loop. It gives up its slot, and returns to the front of the queue afterwards, when the server sent
Retry-After, when the limit was cut, and when the circuit is open.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from shared.backoff import backoff
from shared.errors import Invalid, Transient
from shared.interruption import requesting, waiting
from shared.llm.errors import Busy, TimedOut
from shared.llm.limiter.aimd import AimdLimit, Load
from shared.llm.limiter.circuit_breaker import LOG_EVERY_S, CircuitBreaker
from shared.telemetry.metrics import MODEL_CIRCUIT_OPEN, MODEL_FIRST_TOKEN, MODEL_LIMIT, MODEL_WAITING

log = logging.getLogger(__name__)

MIN_BACKOFF_S, MAX_BACKOFF_S = 0.005, 1.0
"""Bounds of a refused call's first backoff; between them it is a quarter of the duration of a call."""
ASSUMED_CALL_S = 0.4
"""Duration of a call until one is measured."""
BACKOFF_GROWTH = 16
"""The longest backoff, relative to the first: four times the duration of a call."""
WARN_AFTER_S = 60.0
"""How long a call is refused before a warning."""


class Circuit:
    """The circuit of one model, its probe, and the limit before its calls failed."""

    def __init__(self, endpoint: str, model: str, healthy: tuple[int, bool]) -> None:
        self.breaker = CircuitBreaker(endpoint, model)
        self.probe: Permit | None = None
        self.healthy = healthy


class ConcurrencyLimiter:
    """The slots of one endpoint, for one event loop."""

    def __init__(self, endpoint: str, max_concurrency: int) -> None:
        self.aimd = AimdLimit(max_concurrency)
        self.is_busy, self.wants_reading = asyncio.Event(), asyncio.Event()
        """Set while calls are in flight; set when growth waits for a reading of the server's load."""
        self._queue: deque[tuple[Permit, asyncio.Future[None]]] = deque()
        self._in_flight: set[Permit] = set()
        """Calls with a slot."""
        self._backing_off = self._without_slot = 0
        """Refused calls that wait in their slot; outside of it."""
        self._endpoint = endpoint
        self._circuits: dict[str, Circuit] = {}
        self._mean_call_s: float | None = None
        self._warned_at = float("-inf")
        self._first_token_s = MODEL_FIRST_TOKEN.labels(endpoint)
        MODEL_LIMIT.labels(endpoint).set_function(lambda: self.aimd.limit)
        MODEL_WAITING.labels(endpoint).set_function(lambda: len(self._queue) + self._backing_off + self._without_slot)
        MODEL_CIRCUIT_OPEN.labels(endpoint).set_function(lambda: self.is_open)

    def permit(self, model: str) -> "Permit":
        """Create the permit of one call: `async with limiter.permit(model) as permit`."""
        return Permit(self, self.circuit(model))

    def circuit(self, model: str) -> Circuit:
        """The circuit of a model."""
        if model not in self._circuits:
            self._circuits[model] = Circuit(self._endpoint, model, self.aimd.snapshot())
        return self._circuits[model]

    @property
    def is_open(self) -> bool:
        """Whether the circuit of some model is open."""
        return any(circuit.breaker.open for circuit in self._circuits.values())

    @property
    def in_flight(self) -> int:
        """Number of calls with a slot."""
        return len(self._in_flight)

    def observe_load(self, load: Load | None) -> None:
        """Use a reading of the server's load; `None` when it reports none."""
        self._advance()
        self.aimd.observe_load(load, self.in_flight)
        self._admit()

    async def _acquire(self, permit: "Permit", *, at_front: bool = False) -> None:
        """Wait for a slot, at the end of the queue or at its front."""
        slot = asyncio.get_running_loop().create_future()
        (self._queue.appendleft if at_front else self._queue.append)((permit, slot))
        self._admit()
        try:
            with waiting():
                await slot
        except asyncio.CancelledError:
            slot.cancel()  # it is still in the queue when the wait did not begin
            self._release(permit)  # the slot may have been granted just before the cancellation
            raise

    def _release(self, permit: "Permit") -> None:
        """Take back the slot, if the call has one."""
        if permit not in self._in_flight:
            return
        self._advance()
        self._in_flight.remove(permit)
        permit.circuit.breaker.record_end(permit)
        if permit.circuit.probe is permit:
            permit.circuit.probe = None
        if not self._in_flight:
            self.is_busy.clear()
        self._admit()

    def _admit(self) -> None:
        """Grant free slots in the order of the queue, past calls whose circuit is open."""
        if not self.is_open and self.in_flight >= self.aimd.limit:
            return
        left: deque[tuple[Permit, asyncio.Future[None]]] = deque()
        while self._queue:
            permit, slot = self._queue.popleft()
            if slot.done():
                continue
            if not self._has_slot_for(permit.circuit):
                left.append((permit, slot))
                if not self.is_open:
                    break
                continue
            self._advance()
            self._in_flight.add(permit)
            if permit.circuit.breaker.open:
                permit.circuit.probe = permit
            self.is_busy.set()
            slot.set_result(None)
        self._queue.extendleft(reversed(left))

    def _has_slot_for(self, circuit: Circuit) -> bool:
        if circuit.breaker.open:
            return circuit.probe is None and _now() >= circuit.breaker.probe_at
        return self.in_flight < self.aimd.limit

    def _record_accepted(self, permit: "Permit") -> None:
        """The endpoint has accepted a request."""
        if permit.circuit.breaker.record_accepted(permit, self._advance()):
            self._restore(permit.circuit)
        self._count()

    def _record_success(self, permit: "Permit", call_s: float) -> None:
        """An answer is complete."""
        if permit.circuit.breaker.record_success(permit, self._advance()):
            self._restore(permit.circuit)
        mean = self._mean_call_s
        self._mean_call_s = call_s if mean is None else mean + (call_s - mean) / 8

    def _record_failure(self, permit: "Permit", error: Busy | Transient, wasted_s: float, *, truncated: bool) -> None:
        """A request has failed, and wasted this time of its slot."""
        now, circuit = self._advance(), permit.circuit
        if circuit.breaker.is_closed:
            circuit.healthy = self.aimd.snapshot()
        circuit.breaker.record_failure(permit, now, error, truncated=truncated, probe=circuit.probe is permit)
        if circuit.breaker.open:
            asyncio.get_running_loop().call_at(circuit.breaker.probe_at, self._admit)
        if wasted_s:
            self._count(wasted_s)

    async def _back_off(self, permit: "Permit", retry_after_s: float, refusals: int) -> None:
        """Wait after a refusal. The call has a slot afterwards."""
        backoff_s, breaker = 0.0, permit.circuit.breaker
        if not breaker.open:
            first_s = min(max((self._mean_call_s or ASSUMED_CALL_S) / 4, MIN_BACKOFF_S), MAX_BACKOFF_S)
            backoff_s = backoff(first_s, refusals - 1, BACKOFF_GROWTH * first_s)
            self._advance()
            self._backing_off += 1
            try:
                with waiting():
                    await asyncio.sleep(backoff_s)
            finally:
                self._advance()
                self._backing_off -= 1
        remaining_s = retry_after_s - backoff_s
        if remaining_s > 0 or breaker.open or self.in_flight > self.aimd.limit:
            self._release(permit)
            self._without_slot += 1
            try:
                with waiting():
                    await asyncio.sleep(max(remaining_s, 0.0))
            finally:
                self._without_slot -= 1
            await self._acquire(permit, at_front=True)

    def _warn(self, message: str) -> None:
        """Log a warning, at most once in LOG_EVERY_S."""
        if _now() - self._warned_at >= LOG_EVERY_S:
            self._warned_at = _now()
            log.warning("%s", message)

    def _count(self, wasted_s: float = 0.0) -> None:
        self.aimd.record(self.in_flight, wasted_s)
        if self.aimd.wants_reading:
            self.wants_reading.set()
        self._admit()

    def _restore(self, circuit: Circuit) -> None:
        """Resume with the limit before all calls of a model failed."""
        circuit.probe = None
        self.aimd.restore(circuit.healthy)
        self._admit()

    def _advance(self) -> float:
        """Account for the time up to now. Returns the loop's clock."""
        now = _now()
        self.aimd.advance(now, self.in_flight, self._backing_off)
        return now


class Permit:
    """One call: waits for a slot, repeats its request until the endpoint accepts it, and gives the slot back."""

    __slots__ = ("_accepted", "_limiter", "_refusals", "_refused_since", "_started_at", "circuit")

    def __init__(self, limiter: ConcurrencyLimiter, circuit: Circuit) -> None:
        self._limiter = limiter
        self.circuit = circuit
        self._started_at = 0.0
        self._accepted = False
        self._refusals, self._refused_since = 0, 0.0

    async def __aenter__(self) -> Self:
        await self._limiter._acquire(self)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._limiter._release(self)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Report one request and its outcome to the limiter. After Busy, call `wait_to_retry`."""
        self._started_at, self._accepted = _now(), False
        self.circuit.breaker.record_start(self)
        try:
            with requesting(self._is_idle):
                yield
        except Transient as error:
            wasted_s = self._elapsed_s if isinstance(error, TimedOut) else 0.0
            self._limiter._record_failure(self, error, wasted_s, truncated=self._accepted)
            raise
        except Invalid:
            self._succeed()
            raise
        self._succeed()

    def first_token(self) -> None:
        """Report that the answer has begun; again for each chunk is harmless."""
        if not self._accepted:
            self._limiter._first_token_s.observe(self._elapsed_s)
            self._accept()

    async def wait_to_retry(self, busy: Busy) -> None:
        """Report a refusal, and wait until the same request may be sent again. The call has a slot then."""
        limiter = self._limiter
        limiter._record_failure(self, busy, self._elapsed_s, truncated=False)
        self._refusals += 1
        self._refused_since = self._refused_since or _now()
        if not self.circuit.breaker.open and _now() - self._refused_since >= WARN_AFTER_S:
            limiter._warn(f"a call was refused {self._refusals} times, and is repeated: {busy}")
        await limiter._back_off(self, busy.retry_after_s or 0.0, self._refusals)

    def _is_idle(self) -> bool:
        """Whether no answer is expected."""
        return self.circuit.breaker.open and not self._accepted

    @property
    def _elapsed_s(self) -> float:
        return _now() - self._started_at

    def _accept(self) -> None:
        self._accepted = True
        self._limiter._record_accepted(self)

    def _succeed(self) -> None:
        """The endpoint has answered."""
        if not self._accepted:
            self._accept()
        self._limiter._record_success(self, self._elapsed_s)


def _now() -> float:
    return asyncio.get_running_loop().time()
