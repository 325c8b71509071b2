"""What the aggregator once said about its rows and releases, folded from the log: a rebuild decides nothing anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from schemas.events import DatasetReleased, Event, SampleCurated, SampleDeleted, TrainingTriggered
from shared.dataset.releases import Progress

TOLD = (SampleCurated.type, SampleDeleted.type, DatasetReleased.type, TrainingTriggered.type)
"""Kafka topics to hear before the first row is made."""


@dataclass(slots=True)
class Said:
    """Each event once, with the time when it was said first: after a crash it may have been said again."""

    first: dict[str, tuple[datetime, Event]] = field(default_factory=dict)
    curated: dict[str, SampleCurated] = field(default_factory=dict)
    """By row, the latest word: one that was in reserve may have been admitted."""
    since: dict[str, datetime] = field(default_factory=dict)
    """When each row was curated."""
    deleted: set[str] = field(default_factory=set)

    def hear(self, event: Event, at: datetime) -> None:
        """Take in one event, in any order."""
        before = self.first.get(str(event.id))
        at = min(at, before[0]) if before else at
        self.first[str(event.id)] = (at, event)
        if isinstance(event, SampleDeleted):
            self.deleted.add(event.key)
        if isinstance(event, SampleCurated):
            known = self.curated.get(event.key)
            self.curated[event.key] = event if known is None or event.cause.index >= known.cause.index else known
            self.since[event.key] = min(at, self.since.get(event.key, at))

    def progress(self) -> Progress:
        """Where the policy of releases stands."""
        releases = [(at, event) for at, event in self._of(DatasetReleased) if isinstance(event, DatasetReleased)]
        released, last = max(releases, key=lambda one: one[1].release, default=(None, None))
        trained = max((at for at, _ in self._of(TrainingTriggered)), default=None)
        admitted = [at for at, event in self._of(SampleCurated) if getattr(event, "admission", "") == "in"]
        deleted = any(released is None or at > released for at, _ in self._of(SampleDeleted))
        return Progress(
            releases=last.release if last else 0,
            unreleased=sum(released is None or at > released for at in admitted),
            untrained=sum(trained is None or at > trained for at in admitted),
            target=last.rows if last and not deleted else 0,
        )

    def _of(self, kind: type[Event]) -> Iterator[tuple[datetime, Event]]:
        return ((at, event) for at, event in self.first.values() if isinstance(event, kind))
