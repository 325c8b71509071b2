"""What handlers need from the outside world: Protocols and value types, no implementation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel

from schemas.audit_tag import AuditTag
from schemas.events import Event
from schemas.item import Agreement, Provenance

T = TypeVar("T", bound=BaseModel)


class Malformed(Exception):
    """A model answered, but not in the form it was asked for. `calls` were paid for all the same.

    `fault` is that of the last reply, `malformed` when it was whole.
    """

    def __init__(self, message: str, calls: tuple[Provenance, ...], fault: str = "malformed") -> None:
        super().__init__(message)
        self.calls = calls
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a model: the thinking apart from the text."""

    text: str
    reasoning: str
    calls: tuple[Provenance, ...]
    """Every call that it took; the last one gave the answer."""
    fault: str | None = None
    """Why it is no answer: too_long (cut off at the highest limit), runaway (beyond any limit), refused, empty."""

    @property
    def finished(self) -> bool:
        return self.fault is None

    @property
    def provenance(self) -> Provenance:
        """Of the call that gave the answer."""
        return self.calls[-1]


class Model(Protocol):
    """A model with a prompt, in one role. Every field of the prompt is data, never instruction.

    Raises Transient when the endpoint cannot be reached or answers with a passing error.
    """

    @property
    def name(self) -> str:
        """Model name as served."""
        ...

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        """Fill the prompt's fields and ask. Streamed; the reply may be long."""
        ...

    async def structured(
        self, fields: Mapping[str, str], form: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        """As `complete`, and the answer as an object of the given form, with every call it took.

        Raises Malformed after a few tries.
        """
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether an answer agrees with the key, how that was found, and why."""

    agrees: Agreement
    method: str
    reason: str = ""
    calls: tuple[Provenance, ...] = ()
    """Model calls that it took, for the event that says so."""


class Grader(Protocol):
    """Compares answers. Never raises for what a model wrote: what cannot be told is `unsure`."""

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        """Without the question only rules decide. Raises Transient when a judge cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class TextFingerprint:
    """What is remembered of a problem. Digests have eight bytes."""

    text: bytes
    """Of the statement; equal for texts that differ in looks only."""
    figures: bytes
    """Of its numbers, units converted."""
    written: bytes
    """Of its numbers as they are written."""
    key: bytes
    near: float
    """Share of common shingles from which equal figures and an equal key make two problems one."""
    shingles: bytes
    """Hashes of four bytes."""
    bands: tuple[bytes, ...]
    """Of their MinHash: similar problems have one in common."""
    statement: str = ""
    """The text itself, where somebody compares meanings."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a problem is to the earlier ones: new, repeat, near_repeat or variant; of which, and how alike they are."""

    kind: str
    of: UUID | None = None
    score: float = 0.0
    """Share of common shingles, 0 to 1."""


class NearDuplicateIndex(Protocol):
    """Remembers problems, and knows them again."""

    async def add(self, sketch: TextFingerprint, owner: UUID) -> Match:
        """Compare with all earlier problems and remember it if it is new, atomically.

        An owner that comes again is told the same again.
        """
        ...

    async def candidates(self, sketch: TextFingerprint, owner: UUID) -> list[tuple[UUID, str]]:
        """Earlier problems with the same numbers and the same key, by their statements; remembers this one.

        An owner that comes again is told the same, but for what has been forgotten.
        """
        ...


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a text is to others, as cosines from −1 to 1, and the call that found out."""

    cosines: tuple[float, ...]
    call: Provenance


class Embedder(Protocol):
    """Knows what texts mean."""

    async def nearness(self, text: str, others: Sequence[str]) -> Nearness:
        """Compare a text with others. Raises Transient, Invalid or OverBudget."""
        ...


@dataclass(frozen=True, slots=True)
class TaggedEvent:
    """An event of an audit item, as the auditor hands it to the runtime, which marks all that follows from it."""

    event: Event
    tag: AuditTag


@dataclass(frozen=True, slots=True)
class Record:
    """An event and where on the log it lies."""

    event: Event
    kafka_topic: str
    """Name in the flow, without the factory's prefix."""
    incarnation: str
    """Id given to the Kafka topic when it was created: a re-created one starts again at offset 0."""
    partition: int
    offset: int
    written_ms: int
    """When it was written to Kafka, Unix time in milliseconds."""

    @property
    def written(self) -> datetime:
        return datetime.fromtimestamp(self.written_ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class StoredOffset:
    """The last record of a partition that a store has."""

    offset: int
    written_ms: int | None
    """As that of the record; `None` when an older version of this software stored it."""


class Sink(Protocol):
    """A store that keeps its own place in the log, and decides on events within its own commits."""

    async def open(self, incarnations: Mapping[str, str]) -> Mapping[tuple[str, int], StoredOffset]:
        """Open the store. Called once, before intake.

        Takes the incarnation of each Kafka topic. Returns what it holds per (Kafka topic, partition): reading goes on
        behind that; what is not in it is read from the start of the log.
        """
        ...

    async def write(self, records: Sequence[Record]) -> None:
        """Store a batch; all of it is durable on return. Records already stored are left alone."""
        ...

    def outbox(self, mark: str | None) -> tuple[list[Event], str]:
        """Events decided after `mark` (`None`: from the beginning), and the mark behind them."""
        ...


class Join(Protocol):
    """Joins events by key: folds each into its case. Pure; called again for an event that comes again.

    The case keeps the decision once it is made, so that an event that comes again before the decision is published
    decides the same.
    """

    def __call__(self, case: bytes | None, event: Any) -> tuple[bytes, Iterable[Event], bytes]:
        """Return the new case, the events that it decides on now, and what is left of the case once they are published.

        `case` is `None` where there is none yet.
        """
        ...
