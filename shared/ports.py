"""Protocols and values that handlers need. No implementations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel

from schemas.audit_tag import AuditTag
from schemas.events import Event
from schemas.item import Agreement, Provenance
from schemas.run_tag import RunTag

T = TypeVar("T", bound=BaseModel)
Tag = AuditTag | RunTag
"""What the runtime knows about an item, and its handlers do not."""


class Malformed(Exception):
    """A model's answers do not match the requested schema. `calls` were paid.

    `fault` is that of the last reply, or `malformed` when that reply was complete.
    """

    def __init__(self, message: str, calls: tuple[Provenance, ...], fault: str = "malformed") -> None:
        super().__init__(message)
        self.calls = calls
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a model, with the thinking separate from the text."""

    text: str
    reasoning: str
    calls: tuple[Provenance, ...]
    """All calls made for it; the last one gave the answer."""
    fault: str | None = None
    """Why it has no answer: too_long (truncated at the highest limit), runaway (beyond any limit), refused, empty."""

    @property
    def finished(self) -> bool:
        return self.fault is None

    @property
    def provenance(self) -> Provenance:
        """The call that gave the answer."""
        return self.calls[-1]


class Model(Protocol):
    """A model with a prompt, in one role. The prompt's fields are data, never instructions.

    Raises Transient when the endpoint cannot be reached or its error is temporary.
    """

    @property
    def name(self) -> str:
        """Name of the model as served."""
        ...

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        """Fill the prompt's fields and call the model. The reply is streamed and may be long."""
        ...

    async def structured(
        self, fields: Mapping[str, str], response_model: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        """Call the model as `complete`. Returns the answer as an object of `response_model`, and all calls made.

        Raises Malformed after a few tries.
        """
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether an answer agrees with the key, by which method, and why."""

    agrees: Agreement
    method: str
    reason: str = ""
    calls: tuple[Provenance, ...] = ()
    """Model calls made for it, for the event that carries it."""


class Grader(Protocol):
    """Compares answers. Does not raise for a model's text: what cannot be decided is `unsure`."""

    async def compare(self, key: str, answer: str, answer_type: str, question: str = "") -> Comparison:
        """Compare. Without the question only rules decide. Raises Transient when the judge cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class TextFingerprint:
    """The stored features of a problem. Digests have eight bytes."""

    text: bytes
    """Digest of the statement; equal for texts that differ only in form."""
    figures: bytes
    """Digest of its numbers, with units converted."""
    written: bytes
    """Digest of its numbers as written."""
    key: bytes
    """Digest of its key."""
    near: float
    """Share of common shingles from which two problems with equal figures and equal keys are the same."""
    shingles: bytes
    """Hashes of four bytes."""
    bands: tuple[bytes, ...]
    """MinHash bands of the shingles: similar problems have one in common."""
    statement: str = ""
    """The text, when meanings are compared."""


@dataclass(frozen=True, slots=True)
class Match:
    """How a problem compares with earlier ones: new, repeat, near_repeat or variant; of which, and how similar."""

    kind: str
    of: UUID | None = None
    score: float = 0.0
    """Share of common shingles, 0 to 1."""


class NearDuplicateIndex(Protocol):
    """An index of problems that finds near duplicates."""

    async def add(self, fingerprint: TextFingerprint, owner: UUID) -> Match:
        """Compare with all earlier problems, and add it if it is new, in one atomic step.

        Returns the same for a repeated owner.
        """
        ...

    async def candidates(self, fingerprint: TextFingerprint, owner: UUID) -> list[tuple[UUID, str]]:
        """List earlier problems with the same numbers and key, with their statements, and add this one.

        Returns the same for a repeated owner, without entries that were dropped meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True)
class Similarities:
    """Similarity of a text to others, as cosines from −1 to 1, and the call that computed it."""

    cosines: tuple[float, ...]
    call: Provenance


class Embedder(Protocol):
    """Compares the meanings of texts."""

    async def similarities(self, text: str, others: Sequence[str]) -> Similarities:
        """Compare a text with others. Raises Transient, Invalid or OverBudget."""
        ...


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An event whose consumer would only pass it on, as `then`, which is published in its place.

    Where a tagged item ends with `event`, its end is published instead.
    """

    event: Event
    then: Event


@dataclass(frozen=True, slots=True)
class TaggedEvent:
    """An event of an audit item, from the auditor. The runtime tags all events that it causes."""

    event: Event
    tag: AuditTag


@dataclass(frozen=True, slots=True)
class Record:
    """An event and its position on the log."""

    event: Event
    kafka_topic: str
    """Name in the flow, without the factory's prefix."""
    incarnation: str
    """Id given to the Kafka topic at its creation: a topic created again starts at offset 0."""
    partition: int
    offset: int
    written_ms: int
    """Kafka timestamp, Unix time in milliseconds."""

    @property
    def written(self) -> datetime:
        return datetime.fromtimestamp(self.written_ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class StoredOffset:
    """The last record of a partition in a store."""

    offset: int
    written_ms: int | None
    """Kafka timestamp of the record; `None` when an older version of this software stored it."""


class Sink(Protocol):
    """A store that commits its own offsets, and decides on events within its commits."""

    async def open(self, incarnations: Mapping[str, str]) -> Mapping[tuple[str, int], StoredOffset]:
        """Open the store. Called once, before intake.

        Takes the id of each Kafka topic. Returns the stored offsets by (Kafka topic, partition): reading resumes after
        them; a partition without one is read from the start.
        """
        ...

    async def write(self, records: Sequence[Record]) -> None:
        """Store a batch. All of it is durable on return. Ignores records that are already stored.

        With an empty batch it does only what is due by time, such as a release.
        """
        ...

    def outbox(self, cursor: str | None) -> tuple[list[Event], str]:
        """Return the events decided after `cursor` (`None`: from the start), and the cursor after them."""
        ...


class Join(Protocol):
    """Joins events by key: folds each into a state. Pure; called again for a repeated event.

    The state includes the decision, so that an event repeated before the decision is published decides the same.
    """

    def __call__(self, case: bytes | None, event: Any) -> tuple[bytes, Iterable[Event | Forwarded], bytes]:
        """Return the new state, the events decided now, and the state to store once they are published.

        `case` is the state so far; `None` for a new key.
        """
        ...
