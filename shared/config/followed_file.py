"""A file that may change while a process runs, such as the plan."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from shared.errors import Refusal

log = logging.getLogger(__name__)

T = TypeVar("T")

CHECK_INTERVAL_S = 1.0


class FollowedFile(Generic[T]):
    """The content of a file. A change that cannot be loaded is logged, and the content before it stays."""

    def __init__(self, path: Path, load: Callable[[Path], T], check_interval_s: float = CHECK_INTERVAL_S) -> None:
        """Load the file. Raises Refusal as `load` does."""
        self._path, self._load, self._interval_s = path, load, check_interval_s
        self._text, self._next_check = b"", 0.0
        self._text = self._read()
        self.value = load(path)

    def changed(self) -> T | None:
        """Return the new value once after a change; `None` without one. Looks at the file at most once an interval."""
        if time.monotonic() < self._next_check:
            return None
        self._next_check = time.monotonic() + self._interval_s
        if (text := self._read()) == self._text:
            return None
        self._text = text
        try:
            self.value = self._load(self._path)
        except Refusal as refusal:
            log.warning("a change is ignored: %s", refusal)
            return None
        return self.value

    def _read(self) -> bytes:
        """Read the bytes; those of before when the file is being replaced."""
        try:
            return self._path.read_bytes() or self._text
        except OSError:
            return self._text
