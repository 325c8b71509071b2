"""Admission decisions and releases, replayed from the log, so that a rebuild repeats the aggregator's decisions."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from schemas.events import DatasetReleased, Event, SampleCurated, SampleDeleted, TrainingTriggered
from schemas.outcomes import Admission
from shared.dataset.releases import Progress

K = TypeVar("K", bound=Hashable)

REPLAYED = (SampleCurated.type, SampleDeleted.type, DatasetReleased.type, TrainingTriggered.type)
"""Kafka topics to replay before the first row is built."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class AdmissionRecord(NamedTuple):
    """A published decision about a row; the one with the highest `order` counts."""

    order: int
    admission: str
    views: tuple[str, ...]
    split: str
    row_hash: str
    event: str
    """Id of the event that the row is of then."""
    event_hash: str


@dataclass(slots=True)
class AdmissionReplay:
    """Times are those of the first publication: after a crash an event may be published again."""

    curated: dict[str, AdmissionRecord] = field(default_factory=dict)
    """The latest decision by row."""
    curated_at: dict[str, datetime] = field(default_factory=dict)
    """Time of curation by row."""
    deleted: dict[str, datetime] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    """Events that made rows, or changed them, and their order."""
    _admitted: dict[tuple[str, int], datetime] = field(default_factory=dict)
    _left: dict[tuple[str, int], datetime] = field(default_factory=dict)
    """Rows that a reverification moved out of `in`."""
    _released: dict[int, datetime] = field(default_factory=dict)
    _trained: dict[int, datetime] = field(default_factory=dict)
    _rows: dict[int, int] = field(default_factory=dict)
    """Rows of each release."""

    def apply(self, event: Event, at: datetime) -> None:
        """Apply one event, in any order."""
        match event:
            case SampleCurated():
                cause, parent = event.cause, str(event.cause.parent)
                record = AdmissionRecord(
                    *(cause.index, event.admission, event.views, event.split, event.row_hash),
                    *(parent, cause.parent_hash or ""),
                )
                self.applied[parent] = min(cause.index, self.applied.get(parent, cause.index))
                self.curated[event.key] = max(record, self.curated.get(event.key, record), key=lambda one: one.order)
                _keep_earliest(self.curated_at, event.key, at)
                if event.admission == Admission.IN != event.before:
                    _keep_earliest(self._admitted, (event.key, record.order), at)
                if event.before == Admission.IN != event.admission:
                    _keep_earliest(self._left, (event.key, record.order), at)
            case SampleDeleted():
                _keep_earliest(self.deleted, event.key, at)
            case DatasetReleased():
                _keep_earliest(self._released, event.release, at)
                self._rows[event.release] = event.rows
            case TrainingTriggered():
                _keep_earliest(self._trained, event.release, at)

    def progress(self) -> Progress:
        """Return the progress of the release policy."""
        last = max(self._rows, default=0)
        released, trained = self._released.get(last, _NEVER), max(self._trained.values(), default=_NEVER)
        triggered, rows = self._trained.values(), self._admitted.values()
        is_short = any(at > released for at in (*self.deleted.values(), *self._left.values()))
        return Progress(
            releases=last,
            unreleased=sum(at > released for at in self._admitted.values()),
            untrained=sum(at > trained for at in self._admitted.values()),
            target=0 if is_short else self._rows.get(last, 0),
            training_since=int((max(triggered) if triggered else min(rows)).timestamp()) if rows else 0,
        )


def _keep_earliest(times: dict[K, datetime], key: K, at: datetime) -> None:
    times[key] = min(at, times.get(key, at))
