"""Errors with OpenAI's body, `{"error": {"message", "type", "param", "code"}}`:

400 invalid_request           not JSON, not a chat request, or not faults
400 unplayable                the simulator does not support this request
400 unsupported_value         `response_format`, while the faults have `structured: refuse`
401 invalid_api_key           the settings have a key and the request has another or none
404 model_not_found           no such model
429, 500, 503                 busy or broken, by the faults
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from services.simulator.faults import Faults

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_TYPES = {429: "rate_limit_error", 500: "server_error", 503: "server_error"}
_BODIES = {
    429: ("Too many requests are under way.", "rate_limit_exceeded"),
    500: ("The server had an error while processing the request.", "internal_error"),
    503: ("The engine is currently overloaded or down.", "service_unavailable"),
}


@dataclass(eq=False)
class Refused(Exception):
    """A request that gets an error body instead of an answer."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    retry_after_s: int | None = None

    def body(self) -> dict[str, dict[str, str | None]]:
        """Return OpenAI's error body."""
        kind = _TYPES.get(self.status, "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> web.Response:
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        return web.json_response(self.body(), status=self.status, headers=headers)


def fault_error(status: int, faults: Faults) -> Refused:
    """Return the error of a busy or broken server."""
    message, code = _BODIES[status]
    return Refused(status, message, code, retry_after_s=None if status == 500 else faults.retry_after_s)


def hang_up(request: web.Request) -> web.Response:
    """Close the connection after the bytes written so far; the returned response is not sent."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Convert Refused to its error response."""
    try:
        return await handler(request)
    except Refused as refused:
        return refused.response()
