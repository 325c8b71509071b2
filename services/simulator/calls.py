"""The call log: one JSON line per answered call, for tests that count what was asked and what was paid twice."""

import json
import time
from pathlib import Path

from services.simulator.completion import Completion
from services.simulator.plays.reply import Reply
from services.simulator.request import ChatRequest


class CallLog:
    """Appends to a file; each line is one unbuffered write, so a kill loses no answered call."""

    def __init__(self, path: Path | None) -> None:
        """Open the file; without a path nothing is kept."""
        self._file = path.open("ab", buffering=0) if path else None

    def add(self, request: ChatRequest, reply: Reply, completion: Completion) -> None:
        """Record a call just before its answer is sent."""
        if self._file is None:
            return
        record = {
            "time": time.time(),
            "model": request.model,
            "task": reply.task,
            "problem": reply.problem,
            "seed": request.seed,
            "outcome": reply.outcome,
            "finish_reason": completion.finish_reason,
            "request": request.digest(),
        }
        self._file.write(json.dumps(record).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
