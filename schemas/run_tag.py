"""The tag of a copy of a stored problem that goes through some services again."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.model import Model, added


class RunTag(Model):
    """A Kafka header. No event before the last, handler, prompt or model sees it."""

    run: str
    """Name of the run. The same run brings the same problem once."""
    kind: Literal["resolve", "probe"] | None = added()
    """What is done again: the solution, the measurement of difficulty; `None`: the verification."""
    problem: UUID
    compare: bool = False
    """Whether the run only compares verifiers: no row moves."""
    votes: dict[str, int] = Field(default_factory=dict)
    """Votes that the item had before, by verifier; the first ones of its verdicts."""
    believed: bool
    """Whether the item was accepted before."""
    admission: str | None = None
    """The row's admission before; `None`: the item is not a row."""
    belief: float | None = None
    """Belief in the key before; `None`: unknown."""
    correct: bool | None = added()
    """Whether the row's solution agreed with the key before; `None`: unknown."""
    difficulty: float | None = added()
    """The row's difficulty before; `None`: unknown."""
    leaves: tuple[str, ...] | None = added()
    """Views that a row leaves when the probe always hits its key."""
