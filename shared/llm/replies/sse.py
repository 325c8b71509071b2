"""Reads a stream of server-sent events (WHATWG HTML standard, section 9.2), with a limit on memory.

Beyond the standard, it also returns the last event of a stream without a final blank line, since it was paid for, and
returns a body that is one JSON document as one event, whatever its content type. httpx-sse has no limit, requires the
content type, and drops that last event.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Largest event, line, or answer that is not streamed."""

_END_OF_LINE = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
_FIELDS = (b":", b"data", b"event", b"id", b"retry")


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. `data` has no final line break; `name` is empty unless the stream names the event."""

    data: bytes
    name: bytes = b""


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[ServerSentEvent, None]:
    """Yield the events that have data. Raises ValueError for an event that is too large."""
    name, data, size, is_first = b"", list[bytes](), 0, True
    async for line in _lines(chunks):
        if is_first and (text := line.removeprefix(_BOM).strip()):
            is_first = False
            if text.startswith((b"{", b"[")):
                yield ServerSentEvent(text)
                return
            if not text.startswith(_FIELDS):
                raise ValueError(f"neither JSON nor server-sent events: {text[:80].decode(errors='replace')!r}")
            line = line.removeprefix(_BOM)
        if not line:
            if any(data):
                yield ServerSentEvent(b"\n".join(data), name)
            name, data, size = b"", [], 0
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
            size += len(value)
            _check_size(size)
        elif field == b"event":
            name = value
    if any(data):
        yield ServerSentEvent(b"\n".join(data), name)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield lines, ended by CRLF, LF or CR. A body that is a JSON document is one line."""
    pieces, size, start, is_document = list[bytes](), 0, b"", False
    async for chunk in chunks:
        if len(start) < 16:
            start = (start + chunk).lstrip(_BOM + b" \t\r\n")[:16]
            is_document = start.startswith((b"{", b"["))
        pieces.append(chunk)
        size += len(chunk)
        _check_size(size)
        if is_document or (b"\n" not in chunk and b"\r" not in chunk):
            continue
        text = b"".join(pieces)
        end = len(text) - text.endswith(b"\r")  # the line feed of a CRLF may be in the next chunk
        *lines, rest = _END_OF_LINE.split(text[:end])
        pieces = [rest + text[end:]]
        size = len(pieces[0])
        for line in lines:
            yield line
    for line in [b"".join(pieces)] if is_document else _END_OF_LINE.split(b"".join(pieces)):
        yield line


def _check_size(size: int) -> None:
    if size > MAX_EVENT_BYTES:
        raise ValueError(f"more than {MAX_EVENT_BYTES} bytes in one message")
