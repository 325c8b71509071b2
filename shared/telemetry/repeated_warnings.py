"""Counts repeated warnings of clients whose server is away: the first is logged, and how many followed at the end."""

import atexit
import logging
import threading
import time
from dataclasses import dataclass

COUNTED = ("aiokafka", "faust", "mode", "shared.cache.client", "shared.kafka.consume")
"""Loggers whose warnings and errors are counted: they repeat one for each attempt to reach a server."""
QUIET_S = 15.0
"""Time without a repetition after which an outage has ended; above the longest back-off of these clients."""


@dataclass(slots=True)
class _Outage:
    first: logging.LogRecord
    started: float
    last: float
    repeated: int = 0


class RepeatedWarnings(logging.Filter):
    """A filter of one handler, to which it also passes the summary of each outage."""

    def __init__(self, handler: logging.Handler, quiet_s: float = QUIET_S) -> None:
        super().__init__()
        self._handler = handler
        self._quiet_s = quiet_s
        self._outages: dict[tuple[str, str], _Outage] = {}
        self._lock = threading.Lock()
        atexit.register(self.flush)

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass the first of equal warnings; two are equal when their message differs in its arguments only."""
        if record.levelno < logging.WARNING or not f"{record.name}.".startswith(tuple(f"{one}." for one in COUNTED)):
            return True
        key, now = (record.name, str(record.msg)), time.monotonic()
        with self._lock:
            if outage := self._outages.get(key):
                outage.last, outage.repeated = now, outage.repeated + 1
                return False
            self._outages[key] = _Outage(record, now, now)
        self._watch(key, self._quiet_s)
        return True

    def flush(self) -> None:
        """Log the summaries of all outages."""
        with self._lock:
            ended, self._outages = list(self._outages.values()), {}
        for outage in ended:
            self._summarise(outage)

    def _watch(self, key: tuple[str, str], seconds: float) -> None:
        timer = threading.Timer(seconds, self._end_if_quiet, [key])
        timer.daemon = True
        timer.start()

    def _end_if_quiet(self, key: tuple[str, str]) -> None:
        with self._lock:
            outage = self._outages.get(key)
            if outage is None:
                return
            left_s = outage.last + self._quiet_s - time.monotonic()
            if left_s <= 0:
                del self._outages[key]
        if left_s > 0:
            self._watch(key, left_s)
        else:
            self._summarise(outage)

    def _summarise(self, outage: _Outage) -> None:
        if not outage.repeated:
            return
        first, seconds = outage.first, outage.last - outage.started
        text = f"the warning was repeated {outage.repeated} times within {seconds:.0f} s: {first.getMessage()}"
        self._handler.handle(logging.LogRecord(__name__, first.levelno, __file__, 0, text, None, None))
