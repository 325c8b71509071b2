"""Records the results of the current event's model calls, so that another attempt does not pay for them again.

The runtime opens a journal around each handler. A model client looks up a call in it first, and adds the result at the
end. Outside a handler there is no journal, and every call is made.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter

from schemas.identity import content_hash

R = TypeVar("R")


class Journal(Protocol):
    """Results of one event's calls. The name of a call identifies everything that its result depends on."""

    async def get(self, call: str) -> bytes | None:
        """Return the result of a call; `None` when it must be made. All earlier results are durable then."""
        ...

    async def check(self) -> None:
        """Raise when the event may no longer be handled here. Before each request: a call may wait long for a slot."""
        ...

    def put(self, call: str, result: bytes) -> None:
        """Add a result. It becomes durable before the next call, or when the work fails."""
        ...

    async def save(self) -> None:
        """Make the results durable if possible. Does not raise."""
        ...


_journal: ContextVar[Journal | None] = ContextVar("journal", default=None)


def journal() -> Journal | None:
    """The journal of the current event; `None` outside a handler."""
    return _journal.get()


async def from_journal(body: Mapping[str, Any], adapter: TypeAdapter[R], call: Callable[[], Awaitable[R]]) -> R:
    """Return the recorded result of a request, or make the call and record it. The body identifies the request."""
    if (records := journal()) is None:
        return await call()
    name = content_hash(json.dumps(body, sort_keys=True))
    if (recorded := await records.get(name)) is not None:
        return adapter.validate_json(recorded)
    result = await call()
    records.put(name, adapter.dump_json(result))
    return result


@asynccontextmanager
async def journalled(journal: Journal) -> AsyncIterator[None]:
    """Use a journal in the block, and save it when the block fails. A success records its outcome instead."""
    token = _journal.set(journal)
    try:
        yield
    except BaseException:
        await journal.save()
        raise
    finally:
        _journal.reset(token)
