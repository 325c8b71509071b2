"""Sends an answer to the client, whole or streamed, with its latency and the injected faults."""

import asyncio
import json
from itertools import pairwise
from typing import Any

from aiohttp import web

from services.simulator.api.completion import CHARS, CHUNK, Completion
from services.simulator.api.errors import fault_error, hang_up
from services.simulator.api.request import ChatRequest
from services.simulator.calls import Call
from services.simulator.faults import BROKEN, Faults
from services.simulator.latency import Latency

_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_DONE = b"data: [DONE]\n\n"
_PAGE = "<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"
_LARGE = 100 * CHUNK
"""Characters per chunk of a `runaway`, which would otherwise be a hundred thousand chunks."""

STEP_S, STEP_BYTES = 0.01, 64 * 1024
"""Pieces that are due within this time are sent together, as the tokens of one step of a model server, up to a size."""


async def deliver(
    request: web.Request, chat: ChatRequest, answer: Completion, latency: Latency, call: Call, faults: Faults
) -> web.StreamResponse:
    """Send an answer. Cancelled when the client disconnects."""
    call.completion_tokens = answer.completion_tokens
    if chat.stream:
        size = {"runaway": _LARGE, "trickle": CHARS}.get(call.fault or "", CHUNK)
        events = [_event(chunk) for chunk in answer.chunks(chat.wants_usage, size)]
        return await _stream(request, [*events, _DONE], latency, call, faults)
    await latency.wait_until(1, asyncio.get_running_loop().time())
    body = json.dumps(answer.whole()).encode()
    if call.fault in BROKEN:
        return await _send_half(request, body, call, faults)
    return await _send_whole(request, call, web.Response(body=body, headers=_JSON))


async def fail(request: web.Request, chat: ChatRequest, call: Call, faults: Faults) -> web.StreamResponse:
    """Send no answer: stay silent, send an HTML page, or send an error with status 200."""
    if call.fault == "hang":
        await asyncio.sleep(faults.hang_s)
        return hang_up(request)
    if call.fault == "garbage":
        return await _send_whole(request, call, web.Response(text=_PAGE, content_type="text/html"))
    body = fault_error(500, faults).body()
    if chat.stream:
        text = _event(body) + _DONE
        return await _send_whole(request, call, web.Response(body=text, headers=_STREAM))
    return await _send_whole(request, call, web.json_response(body))


async def _send_whole(request: web.Request, call: Call, response: web.Response) -> web.Response:
    """Send inside the handler, because the call ends when the client has the response."""
    call.status = response.status
    await response.prepare(request)
    await response.write_eof()
    call.delivered = True
    return response


async def _stream(
    request: web.Request, pieces: list[bytes], latency: Latency, call: Call, faults: Faults
) -> web.StreamResponse:
    """Send the pieces evenly over the call's time; only half of them for a broken call."""
    total_tokens, started_at = call.completion_tokens, asyncio.get_running_loop().time()
    last = len(pieces) // 2 if call.fault in BROKEN else len(pieces)
    response = web.StreamResponse(headers=_STREAM)
    call.status, call.completion_tokens = response.status, 0
    await response.prepare(request)
    for begin, end in pairwise(_steps(pieces, latency.rest_s, last)):
        await latency.wait_until(end / len(pieces), started_at)
        await response.write(b"".join(pieces[begin:end]))
        call.completion_tokens = total_tokens * end // len(pieces)
    call.delivered = last == len(pieces)
    return await _end(request, response, call, faults)


def _steps(pieces: list[bytes], seconds: float, last: int) -> list[int]:
    """Return the numbers of pieces at which a step begins, then `last`, at which the last one ends."""
    steps = min(len(pieces), max(1, int(seconds / STEP_S), sum(map(len, pieces)) // STEP_BYTES))
    return [*(sent for step in range(steps) if (sent := len(pieces) * step // steps) < last), last]


async def _send_half(request: web.Request, body: bytes, call: Call, faults: Faults) -> web.StreamResponse:
    """Send half of an answer; `unfinished` sends no Content-Length."""
    length = {} if call.fault == "unfinished" else {"Content-Length": str(len(body))}
    response = web.StreamResponse(headers=_JSON | length)
    call.status = response.status
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return await _end(request, response, call, faults)


async def _end(request: web.Request, response: web.StreamResponse, call: Call, faults: Faults) -> web.StreamResponse:
    if call.fault == "stall":
        await asyncio.sleep(faults.hang_s)
    if call.fault in ("stall", "cut"):
        hang_up(request)
    else:
        await response.write_eof()
    return response


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"
