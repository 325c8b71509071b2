"""How a command speaks to the supervisor of a folder: one line of JSON there, one back.

A Unix socket in the folder, which only its owner may open. An answer is `{"done": …}` or `{"error": …}`, the latter a
StackError in words.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.state_file import StateFile

SOCKET = "control.sock"
_LONGEST = 100
"""Bytes in the address of a Unix socket: 108 on Linux, 104 on macOS."""

Answer = Callable[[Any], Awaitable[Any]]
"""From what was asked to what is answered, both JSON. May raise StackError."""


@asynccontextmanager
async def serve(directory: Path, answer: Answer) -> AsyncIterator[None]:
    """Answer whoever asks, until the block is left; then whatever is still being answered is cancelled."""
    path = directory / SOCKET
    path.unlink(missing_ok=True)  # the folder is locked by us: it is an earlier supervisor's
    listener = socket.socket(socket.AF_UNIX)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(task := asyncio.create_task(_answer(answer, reader, writer)))
        task.add_done_callback(tasks.discard)

    listener.bind(_address(path))
    path.chmod(0o600)  # nobody can connect before it listens
    server = await asyncio.start_unix_server(accept, sock=listener)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def request(directory: Path, question: object) -> Any:
    """Ask the supervisor of a folder. Raises StackError when there is none, or what it raised itself."""
    try:
        reader, writer = await asyncio.open_unix_connection(_address(directory / SOCKET))
    except OSError as error:
        if StateFile.read(directory).up:
            raise StackError(f"the stack in {directory} is still starting, or stopping", "try again soon") from error
        raise StackError(f"nothing runs in {directory}", "start it with `chimera up`") from error
    try:
        writer.write(json.dumps(question).encode() + b"\n")
        line = await reader.readline()
    except OSError as error:
        raise _gone(directory) from error
    finally:
        writer.close()
    if not line:
        raise _gone(directory)
    answer = json.loads(line)
    if "error" in answer:
        raise StackError(**answer["error"])
    return answer["done"]


async def _answer(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        question = json.loads(await reader.readline())
        try:
            said = {"done": await answer(question)}
        except StackError as error:
            said = {"error": {"message": error.message, "next_step": error.next_step, "log": error.log}}
        with suppress(OSError):  # whoever asked has gone; it is done all the same
            writer.write(json.dumps(said).encode() + b"\n")
            await writer.drain()
    finally:
        writer.close()


def _address(path: Path) -> str:
    """The shorter way to write the path: an address has little room."""
    address = min(os.path.abspath(path), os.path.relpath(path), key=len)
    if len(os.fsencode(address)) > _LONGEST:
        raise StackError(f"{path.parent} has too long a name for a socket in it", "give a folder with a shorter one")
    return address


def _gone(directory: Path) -> StackError:
    return StackError(f"the stack in {directory} ended meanwhile", "look at `chimera logs supervisor`")
