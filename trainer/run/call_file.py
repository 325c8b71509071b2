"""Journal of answered model calls in a file of JSON lines: a resumed phase pays for no call twice."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from shared.call_journal import journalled


class CallFile:
    """A `shared.call_journal.Journal` for a phase. A kill loses only the calls in flight.

    Answers are up to a megabyte each and there are many thousands: only their offsets are kept in memory.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._offsets: dict[str, int] = {}
        at = file.seek(0)
        for line in file:
            if line.endswith(b"\n"):
                self._offsets[json.loads(line)["call"]] = at
                at += len(line)
        file.truncate(at)  # a line truncated by a kill is written again

    @classmethod
    @asynccontextmanager
    async def opened(cls, path: Path) -> AsyncIterator[None]:
        """Inside the block every model call is looked up in the file, and recorded there."""
        with path.open("a+b") as file:
            async with journalled(cls(file)):
                yield

    async def get(self, call: str) -> bytes | None:
        if (at := self._offsets.get(call)) is None:
            return None
        self._file.seek(at)
        result: str = json.loads(self._file.readline())["result"]
        return result.encode()

    async def check(self) -> None:
        """Do nothing: no other process makes the calls of this phase."""

    def put(self, call: str, result: bytes) -> None:
        self._offsets[call] = self._file.seek(0, 2)
        self._file.write(json.dumps({"call": call, "result": result.decode()}).encode() + b"\n")
        self._file.flush()

    async def save(self) -> None:
        """Do nothing: every line is already written."""


def read_complete_lines(path: Path) -> list[str]:
    """Return the lines of a file, none if it is missing. Removes a last line that a kill truncated."""
    if not path.exists():
        return []
    whole = path.read_text().rpartition("\n")[0]
    path.write_text(f"{whole}\n" if whole else "")
    return whole.splitlines()
