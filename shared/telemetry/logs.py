"""Logs: one JSON object per line on standard error, with the current event and trace."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from schemas.events import Event
from shared.telemetry.repeated_warnings import RepeatedWarnings

_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)


@contextmanager
def about(event: Event) -> Iterator[None]:
    """Add the event's id, type and trace to every line logged in the block."""
    token = _context.set({"event_id": str(event.id), "event_type": event.type, "trace_id": event.trace.hex})
    try:
        yield
    finally:
        _context.reset(token)


class _JsonLines(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **(_context.get() or {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _printable(json.dumps(line, ensure_ascii=False))


def _printable(text: str) -> str:
    """JSON text with an escape for every character that is not printable, so that no control sequence is left."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def configure(service: str) -> None:
    """Log to standard error: our own packages from INFO, libraries from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(service))
    handler.addFilter(RepeatedWarnings(handler))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in ("shared", "services", "trainer"):
        logging.getLogger(ours).setLevel(logging.INFO)
