"""The four kinds of service. `build` returns one."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from schemas.events import Event
from shared.ports import Join, Sink, TaggedEvent

Handler = Callable[[Any], Awaitable[Iterable[Event | TaggedEvent]]]
"""Stateless: takes an event, returns the events that follow. May be called again after a crash; one result counts."""


class Machine(Protocol):
    """Stateful, one active replica: pure functions over a state folded from the log.

    A snapshot holds the state and the events it decided on, and is written before they are published: after a crash the
    same events are published again. The same event may arrive more than once.
    """

    @property
    def state_type(self) -> type[BaseModel]:
        """Model of the state, for reading snapshots."""
        ...

    def start(self, state: Any | None, now: datetime) -> tuple[Any, Iterable[Event]]:
        """Start with a new state (`None`) or resume from a snapshot."""
        ...

    def __call__(self, state: Any, event: Event, now: datetime) -> tuple[Any, Iterable[Event]]: ...


@dataclass(frozen=True, slots=True)
class FromLog:
    """Fields of a machine's state that no snapshot has, because they can be read from the log."""

    fields: frozenset[str]
    read: Callable[[Any, Mapping[tuple[str, int], int]], Awaitable[Any]]
    """(state, next offsets by Kafka topic and partition) → state with these fields."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a process does: exactly one of handler, join, machine or sink. `close` runs at the end.

    `background` is entered when Kafka answers, and left when the loop ends.
    """

    handle: Handler | None = None
    join: Join | None = None
    machine: Machine | None = None
    from_log: FromLog | None = None
    """Only with a machine."""
    changed: Callable[[], bool] = lambda: False
    """Only with a machine: whether its settings have changed since the last call, so that it has to start again."""
    sink: Sink | None = None
    close: tuple[Callable[[], Awaitable[None]], ...] = ()
    background: tuple[AbstractAsyncContextManager[None], ...] = ()
