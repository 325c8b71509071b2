"""Two logs of JSON lines, for tests that count requests, paid calls, and calls that were paid twice.

`call_log`: one line per answer, written before its first byte is sent.
`request_log`: one line per change of a chat request; `at` is

    refused   no work: `status` says why; null is a connection closed without a byte
    left      the client disconnected while the call waited for a slot
    begun     work starts
    ended     work ends; `paid` if an answer was generated, also in part or for a client that had disconnected
"""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from services.simulator.api.request import ChatRequest
from services.simulator.faults import Fault
from services.simulator.roles.reply import Reply

At = Literal["waiting", "refused", "left", "begun", "ended"]


@dataclass(slots=True)
class Call:
    """One chat request; its fields are filled in while it is processed."""

    number: int
    model: str
    request: str
    """Digest of the request; equal requests with the same seed have the same digest."""
    request_id: str | None
    """The client's `Idempotency-Key`, or else its `X-Request-Id`."""
    fault: Fault | None
    at: At = "waiting"
    arrived: float = field(default_factory=time.time)
    """Unix time."""
    started: float | None = None
    """Unix time of the start of work; `None` without work."""
    status: int | None = None
    """The status that was sent; `None` before."""
    paid: bool = False
    delivered: bool = False
    """The client received the whole answer."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Generated so far; an answer that is not streamed counts in full from the start."""

    def begin(self, prompt_tokens: int, *, paid: bool) -> None:
        self.started, self.prompt_tokens, self.paid = time.time(), prompt_tokens, paid


class CallLog:
    """Appends to the files. Each line is one unbuffered write, so a kill loses no line."""

    def __init__(self, answers: Path | None, requests: Path | None = None) -> None:
        """Open the files; a log without a path is not written."""
        self._answers = answers.open("ab", buffering=0) if answers else None
        self._requests = requests.open("ab", buffering=0) if requests else None

    def answered(self, request: ChatRequest, reply: Reply, finish_reason: str, call: Call) -> None:
        """Record an answer just before it is sent."""
        if self._answers is None:
            return
        record = {
            "time": time.time(),
            "model": call.model,
            "task": reply.task,
            "problem": reply.problem,
            "seed": request.seed,
            "outcome": reply.outcome,
            "finish_reason": finish_reason,
            "request": call.request,
            "fault": call.fault,
        }
        self._answers.write(_line(record))

    def note(self, at: At, call: Call) -> None:
        """Record the new state of a request."""
        call.at = at
        if self._requests is not None:
            self._requests.write(_line({"time": time.time(), **asdict(call)}))

    def close(self) -> None:
        """Close the files."""
        for file in (self._answers, self._requests):
            if file is not None:
                file.close()


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"
