"""The dataset as pages read it: opened anew every few seconds, releases at their versions, counts kept by version."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from schemas.config.plan import Plan
from schemas.config.policies import Difficulty
from services.console.beliefs import Beliefs
from shared.config.plan_loader import load_plan
from shared.dataset import LATEST, NOW, Dataset, list_manifests, open_release
from shared.dataset.storage import Location
from shared.errors import Refusal

T = TypeVar("T")

FRESH_S = 2.0
"""How old an opened dataset may be, in seconds."""
MAX_ENTRIES = 64
"""Most values that are kept."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The dataset at one version."""

    name: str
    """`now`, or the number of a release."""
    dataset: Dataset
    manifest: dict[str, Any] | None
    """Of a release; `None` for `now`."""

    @property
    def key(self) -> tuple[int, int]:
        """Equal for equal content."""
        return self.dataset.rows.version, self.dataset.ledger.version


class DatasetCache:
    """Opens versions and keeps results. Safe to use from several threads."""

    def __init__(self, folder: Location, plan: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self.beliefs = Beliefs()
        self._plan = plan
        self._clock = clock
        self._lock = threading.Lock()
        self._making: dict[Any, threading.Lock] = {}
        self._entries: OrderedDict[Any, tuple[float, Any]] = OrderedDict()
        """Value of each key and when it was made, the least recently used first."""

    def snapshot(self, name: str = NOW) -> Snapshot:
        """The dataset now, at the `latest` release or at a numbered one. Raises Refusal when there is none."""
        if name == LATEST:
            made = self.releases()
            name = str(made[-1]["number"]) if made else NOW
        fresh_s = FRESH_S if name == NOW else None
        return self.cached(("snapshot", name), lambda: Snapshot(name, *open_release(self.folder, name)), fresh_s)

    def releases(self) -> list[dict[str, Any]]:
        """Every release's manifest, the oldest first."""
        return self.cached("releases", lambda: list_manifests(self.folder), FRESH_S)

    def newest(self) -> Snapshot | None:
        """The dataset now; `None` before there is one."""
        try:
            return self.snapshot()
        except Refusal:
            return None

    @property
    def plan(self) -> Plan | None:
        """The plan that the factory follows; `None` when it is not here. Raises Refusal when it cannot be read."""

        def read() -> tuple[Plan | None]:
            return (load_plan(self._plan) if self._plan.exists() else None,)

        return self.cached("plan", read, FRESH_S)[0]

    @property
    def difficulty(self) -> Difficulty:
        """The plan's bins of difficulty, or else the default ones."""
        return self.plan.difficulty if self.plan else Difficulty()

    def cached(self, key: Any, make: Callable[[], T], fresh_s: float | None = None) -> T:
        """The value of a key; made again when it is older than `fresh_s` seconds, if that is given.

        Only threads that want the same key wait while it is made.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                if (entry := self._entry(key)) and (fresh_s is None or self._clock() - entry[0] < fresh_s):
                    return entry[1]  # type: ignore[no-any-return]
                value = make()
                self._store(key, value)
                return value
        finally:
            with self._lock:
                self._making.pop(key, None)

    def _entry(self, key: Any) -> tuple[float, Any] | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def _store(self, key: Any, value: Any) -> None:
        with self._lock:
            self._entries[key] = self._clock(), value
            self._entries.move_to_end(key)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
