"""What handlers need from the outside world: Protocols and value types, no implementation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel

from schemas.item import Agreement, Provenance

T = TypeVar("T", bound=BaseModel)


class Malformed(Exception):
    """A model answered, but not in the form it was asked for. `calls` were paid for all the same."""

    def __init__(self, message: str, calls: tuple[Provenance, ...]) -> None:
        super().__init__(message)
        self.calls = calls


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a model: the thinking apart from the text."""

    text: str
    reasoning: str
    finished: bool
    """False when it was cut off (finish_reason=length, or thinking never closed): then it is no answer."""
    provenance: Provenance


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


class Grader(Protocol):
    """Compares answers. Never raises for what a model wrote: what cannot be told is `unsure`."""

    async def compare(self, key: str, answer: str, answer_type: str) -> Comparison: ...


class Register(Protocol):
    """Remembers who came first."""

    async def claim(self, key: str, owner: UUID) -> UUID:
        """Claim a key for an owner, atomically. Returns the owner who holds it: the first one that ever asked."""
        ...
