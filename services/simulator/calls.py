"""Two logs of JSON lines, for tests that count what was asked, what was paid, and what was paid twice.

`call_log`: one line for each answer that the simulator began to make, written before its first byte is sent.
`request_log`: every chat request, `at`:

    refused   no work was begun: `status` tells why; null is a connection closed without a byte
    left      the client went away while the call was waiting for a place
    begun     the work begins
    ended     it ends, however that came; `paid`: an answer was being made, be it in part or for a client who had left
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
    """One chat request, filled in as it goes on."""

    number: int
    model: str
    request: str
    """Digest of the request: equal requests, seed included, have the same."""
    request_id: str | None
    """What the client sent as `Idempotency-Key`, or else as `X-Request-Id`."""
    fault: Fault | None
    at: At = "waiting"
    arrived: float = field(default_factory=time.time)
    """Unix time."""
    started: float | None = None
    """Unix time at which the work began; None when it never did."""
    status: int | None = None
    """As sent; None while nothing has been."""
    paid: bool = False
    delivered: bool = False
    """The client was there until the end and got a whole answer."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Made so far; an answer that is not streamed counts whole from the beginning."""

    def begin(self, prompt_tokens: int, *, paid: bool) -> None:
        self.started, self.prompt_tokens, self.paid = time.time(), prompt_tokens, paid


class CallLog:
    """Appends to the files; each line is one unbuffered write, so a kill loses nothing that was logged."""

    def __init__(self, answers: Path | None, requests: Path | None = None) -> None:
        """Open the files; what has no path is not kept."""
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
        """Record where a request stands now."""
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
