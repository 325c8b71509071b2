"""Calls to models that were answered, kept in a file of lines: whoever comes again pays for none of them twice."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from shared.call_journal import journalled


class CallFile:
    """A `shared.call_journal.Journal` for a whole phase. A kill costs the calls that were in flight.

    Answers may be a megabyte each and many thousands: only their places in the file are held in memory.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: dict[str, int] = {}
        at = file.seek(0)
        for line in file:
            if line.endswith(b"\n"):
                self._places[json.loads(line)["call"]] = at
                at += len(line)
        file.truncate(at)  # a line that was cut off by a kill is made again

    @classmethod
    @asynccontextmanager
    async def kept(cls, path: Path) -> AsyncIterator[None]:
        """Every call inside of the block is looked up in the file, and noted there."""
        with path.open("a+b") as file:
            async with journalled(cls(file)):
                yield

    async def get(self, call: str) -> bytes | None:
        if (at := self._places.get(call)) is None:
            return None
        self._file.seek(at)
        result: str = json.loads(self._file.readline())["result"]
        return result.encode()

    def put(self, call: str, result: bytes) -> None:
        self._places[call] = self._file.seek(0, 2)
        self._file.write(json.dumps({"call": call, "result": result.decode()}).encode() + b"\n")
        self._file.flush()

    async def save(self) -> None:
        """Every line is written already."""


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that may not be there; one that was cut off by a kill is taken away, to be made again."""
    if not path.exists():
        return []
    whole = path.read_text().rpartition("\n")[0]
    path.write_text(f"{whole}\n" if whole else "")
    return whole.splitlines()
