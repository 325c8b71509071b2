"""Requests from a command to the supervisor of a folder: one line of JSON, one line back.

They use a Unix socket in the folder, which only its owner may open. A response is `{"done": result}` or
`{"error": {message, next_step, log}}`, which the client raises as a Refusal.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from shared.errors import Refusal

SOCKET = "control.sock"
_MAX_ADDRESS_BYTES = 100
"""The limit for the address of a Unix socket is 108 on Linux and 104 on macOS."""

Handler = Callable[[Any], Awaitable[Any]]
"""From a JSON request to a JSON response. May raise Refusal."""


@asynccontextmanager
async def serve(directory: Path, handler: Handler) -> AsyncIterator[None]:
    """Handle requests until the block is left; requests under way are then cancelled."""
    path = directory / SOCKET
    path.unlink(missing_ok=True)  # we hold the folder's lock, so it is left over from an earlier supervisor
    listener = socket.socket(socket.AF_UNIX)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(task := asyncio.create_task(_respond(handler, reader, writer)))
        task.add_done_callback(tasks.discard)

    listener.bind(_address(path))
    path.chmod(0o600)  # no client can connect before it listens
    server = await asyncio.start_unix_server(accept, sock=listener)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def request(directory: Path, body: object) -> Any:
    """Send a request to the supervisor of a folder. Raises Refusal when none runs, and the Refusal that it raised."""
    try:
        reader, writer = await asyncio.open_unix_connection(_address(directory / SOCKET))
    except OSError as error:
        from deploy.local.state_file import StateFile  # `chimera status` seldom needs it and is to be quick

        if StateFile.read(directory).up:
            raise Refusal(f"the stack in {directory} is starting or stopping", "Try again in a minute") from error
        raise Refusal(f"nothing runs in {directory}", "Start it with `chimera up`") from error
    try:
        writer.write(json.dumps(body).encode() + b"\n")
        line = await reader.readline()
    except OSError as error:
        raise _disconnected(directory) from error
    finally:
        writer.close()
    if not line:
        raise _disconnected(directory)
    response = json.loads(line)
    if "error" in response:
        raise Refusal(**response["error"])
    return response["done"]


async def _respond(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        body = json.loads(await reader.readline())
        try:
            response = {"done": await handler(body)}
        except Refusal as error:
            response = {"error": {"message": error.message, "next_step": error.next_step, "log": error.log}}
        with suppress(OSError):  # the client has left; the work is done all the same
            writer.write(json.dumps(response).encode() + b"\n")
            await writer.drain()
    finally:
        writer.close()


def _address(path: Path) -> str:
    """Return the absolute or the relative path, whichever is shorter: the length of an address is limited."""
    address = min(os.path.abspath(path), os.path.relpath(path), key=len)
    if len(os.fsencode(address)) > _MAX_ADDRESS_BYTES:
        raise Refusal(f"the path {path.parent} is too long for a socket in it", "Give a folder with a shorter path")
    return address


def _disconnected(directory: Path) -> Refusal:
    return Refusal(f"the stack in {directory} ended before it answered", "Read `chimera logs supervisor`")
