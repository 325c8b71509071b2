"""What the aggregator once said about its rows and releases, folded from the log: a rebuild decides nothing anew."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from schemas.events import DatasetReleased, Event, SampleCurated, SampleDeleted, TrainingTriggered
from shared.dataset.releases import Progress

K = TypeVar("K", bound=Hashable)

REPLAYED = (SampleCurated.type, SampleDeleted.type, DatasetReleased.type, TrainingTriggered.type)
"""Kafka topics to hear before the first row is made."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class AdmissionRecord(NamedTuple):
    """What was said of a row; `turn` is 1 for one that was admitted from the reserve."""

    turn: int
    admission: str
    views: tuple[str, ...]
    split: str
    row_hash: str


@dataclass(slots=True)
class AdmissionReplay:
    """Times are those of the first saying: after a crash the same event may have been said again."""

    curated: dict[str, AdmissionRecord] = field(default_factory=dict)
    """The latest word, by row."""
    since: dict[str, datetime] = field(default_factory=dict)
    """When it was curated, by row."""
    deleted: dict[str, datetime] = field(default_factory=dict)
    _admitted: dict[tuple[str, int], datetime] = field(default_factory=dict)
    _released: dict[int, datetime] = field(default_factory=dict)
    _trained: dict[int, datetime] = field(default_factory=dict)
    _rows: dict[int, int] = field(default_factory=dict)
    """Rows of each release."""

    def apply(self, event: Event, at: datetime) -> None:
        """Take in one event; the order does not matter."""
        match event:
            case SampleCurated():
                word = AdmissionRecord(event.cause.index, event.admission, event.views, event.split, event.row_hash)
                self.curated[event.key] = max(word, self.curated.get(event.key, word), key=lambda one: one.turn)
                _first(self.since, event.key, at)
                if event.admission == "in":
                    _first(self._admitted, (event.key, word.turn), at)
            case SampleDeleted():
                _first(self.deleted, event.key, at)
            case DatasetReleased():
                _first(self._released, event.release, at)
                self._rows[event.release] = event.rows
            case TrainingTriggered():
                _first(self._trained, event.release, at)

    def progress(self) -> Progress:
        """Where the policy of releases stands."""
        last = max(self._rows, default=0)
        released, trained = self._released.get(last, _NEVER), max(self._trained.values(), default=_NEVER)
        triggered, rows = self._trained.values(), self._admitted.values()
        deleted = any(at > released for at in self.deleted.values())
        return Progress(
            releases=last,
            unreleased=sum(at > released for at in self._admitted.values()),
            untrained=sum(at > trained for at in self._admitted.values()),
            target=0 if deleted else self._rows.get(last, 0),
            training_since=int((max(triggered) if triggered else min(rows)).timestamp()) if rows else 0,
        )


def _first(times: dict[K, datetime], key: K, at: datetime) -> None:
    times[key] = min(at, times.get(key, at))
