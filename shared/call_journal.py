"""What the model calls of the event at hand have answered so far, so that another attempt pays for none of them again.

The runtime opens a journal around each handler; whoever makes a call looks there first and writes there last. Outside a
handler there is none, and every call is made.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Protocol


class Journal(Protocol):
    """Results of one event's calls, by a name that says all that the result may depend on."""

    async def get(self, call: str) -> bytes | None:
        """Return the result of a call; `None` when it has to be made. Everything kept so far is durable by then."""
        ...

    def put(self, call: str, result: bytes) -> None:
        """Note a result. It is durable before the next call is made, and when the work fails."""
        ...

    async def save(self) -> None:
        """Make what was kept durable, as far as that can be done now."""
        ...


_journal: ContextVar[Journal | None] = ContextVar("journal", default=None)


def journal() -> Journal | None:
    """Return the journal of the event at hand."""
    return _journal.get()


@asynccontextmanager
async def journalled(kept: Journal) -> AsyncIterator[None]:
    """Make a journal the one at hand. Work that succeeds leaves an outcome, which is worth all of its calls."""
    token = _journal.set(kept)
    try:
        yield
    except BaseException:
        await kept.save()
        raise
    finally:
        _journal.reset(token)
