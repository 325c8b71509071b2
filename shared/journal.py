"""What the model calls of the event at hand have answered so far, so that another attempt pays for none of them again.

The runtime opens a journal around each handler; whoever makes a call looks there first and writes there last. Outside a
handler there is none, and every call is made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Journal(Protocol):
    """Results of one event's calls, by a name that says all that the result may depend on."""

    def recall(self, call: str) -> bytes | None:
        """Return what is on record; `None` for a call that has to be made."""
        ...

    async def keep(self, call: str, result: bytes) -> bytes:
        """Record a result if it is the first. Returns the one on record: that one is used."""
        ...


_journal: ContextVar[Journal | None] = ContextVar("journal", default=None)


def journal() -> Journal | None:
    """Return the journal of the event at hand."""
    return _journal.get()


@contextmanager
def journalled(kept: Journal) -> Iterator[None]:
    """Make a journal the one at hand."""
    token = _journal.set(kept)
    try:
        yield
    finally:
        _journal.reset(token)
