"""The kinds of service, as what `build` returns."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from schemas.events import Event
from shared.ports import Join, Sink, TaggedEvent

Handler = Callable[[Any], Awaitable[Iterable[Event | TaggedEvent]]]
"""Stateless: an event in, the events that follow from it out. Called again after a crash; only one result counts."""


class Machine(Protocol):
    """Stateful, one replica: pure functions over a state that is folded from the log.

    A state is snapshotted together with the events it decided on before these are published, so that a crash
    publishes the same events again. The same event may arrive more than once.
    """

    @property
    def state_type(self) -> type[BaseModel]:
        """Model of the state, for reading snapshots."""
        ...

    def start(self, state: Any | None, now: datetime) -> tuple[Any, Iterable[Event]]:
        """Begin afresh (`None`) or go on from a snapshot."""
        ...

    def __call__(self, state: Any, event: Event, now: datetime) -> tuple[Any, Iterable[Event]]: ...


@dataclass(frozen=True, slots=True)
class Service:
    """What a process does: exactly one of handler, join, machine or sink. `close` runs at the end.

    `beside` is entered when Kafka is there, and left when the work is over.
    """

    handle: Handler | None = None
    join: Join | None = None
    machine: Machine | None = None
    sink: Sink | None = None
    close: tuple[Callable[[], Awaitable[None]], ...] = ()
    background: tuple[AbstractAsyncContextManager[None], ...] = ()
