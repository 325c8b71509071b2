"""Rebuilds the dataset from the retained Kafka topics, with the same rows and admissions. Publishes nothing.

It leaves the last records of a partition, on which the aggregator has not decided yet, to the aggregator: the tables'
watermarks end before them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
from typing import TypeVar

from schemas.events import (
    AuditJudged,
    ItemEvent,
    ProblemReprobed,
    ProblemResolved,
    ProblemReverified,
    ProblemReviewed,
    SolutionChecked,
)
from shared.dataset import build
from shared.dataset.amend import add_solutions, amendments, decide_key, in_order, set_difficulty, with_hash_of
from shared.dataset.event_replay import AdmissionReplay
from shared.dataset.query import id_in
from shared.dataset.schema import Audit, Entry, Probing, Resolution, Reverification, ReviewLine, Row, Source
from shared.dataset.storage import Location
from shared.dataset.table import Table
from shared.ports import Record

A = TypeVar("A", ProblemResolved, ProblemReprobed, ProblemReviewed)


class Rebuild:
    """Builds the tables in a new folder. Takes each Kafka topic in order; skips repeated records."""

    def __init__(self, folder: Location, factory: str, replay: AdmissionReplay) -> None:
        self._replay = replay
        kinds = (Row, Entry, Audit, Reverification, Resolution, Probing, ReviewLine)
        self._tables = [Table(folder, kind, factory) for kind in kinds]
        self._rows, self._ledger, self._audits, self._reverifications, *others = self._tables
        self._resolutions, self._probings, self._reviews = others
        self._known: set[str] = set()
        self._waiting: set[tuple[str, int]] = set()
        """Kafka topics with partitions that have an undecided record."""
        self._unlike: set[str] = set()
        """Ids of rows whose hash was not the published one when they were added: they changed later, or differ."""
        self.rows = self.entries = self.audits = self.reverifications = 0
        self.resolutions = self.probings = self.reviews = 0
        self.differing: list[str] = []
        """Ids of rows whose hash differs from the published one."""

    def add_solutions(self, batch: Sequence[Record]) -> None:
        """Add records of solution.checked: rows, and earlier attempts to the ledger."""
        taken = [one for one in batch if self._is_decided(one)]
        rows = [row for row in map(self._row, taken) if row and self._is_new(row.id)]
        if taken:
            self._rows.append(rows, self._rows.watermarks(taken), {})
            self.rows += len(rows)
            self._add_entries(taken)

    def add_rejections(self, batch: Sequence[Record]) -> None:
        """Add records of problem.rejected."""
        self._add_entries(batch, self._ledger.watermarks(batch))

    def add_deletions(self, batch: Sequence[Record]) -> None:
        """Add records of sample.deleted; their rows are not built."""
        self._add_entries(batch)
        self._rows.append([], self._rows.watermarks(batch), {})

    def add_audits(self, batch: Sequence[Record]) -> None:
        """Add records of audit.judged."""
        built = [build.to_audit(one, one.event, one.written) for one in batch if isinstance(one.event, AuditJudged)]
        lines = [line for line in built if self._is_new(line.id)]
        self._audits.append(lines, self._audits.watermarks(batch), {})
        self.audits += len(lines)

    def add_reverifications(self, batch: Sequence[Record]) -> None:
        """Add records of problem.reverified. The rows that they moved have their views from the replay."""
        events = [(one, one.event) for one in batch if isinstance(one.event, ProblemReverified)]
        built = [build.to_reverification(one, event, one.written) for one, event in events]
        lines = [line for line in built if self._is_new(line.id)]
        self._reverifications.append(lines, self._reverifications.watermarks(batch), {})
        self.reverifications += len(lines)

    def add_resolutions(self, batch: Sequence[Record]) -> None:
        """Add records of problem.resolved, and the solutions of those that the aggregator gave to rows."""
        events = [(one, one.event) for one in batch if isinstance(one.event, ProblemResolved)]
        taken = self._amend(events, add_solutions)
        lines = [build.to_resolution(one, event, one.written) for one, event in taken]
        self.resolutions += self._append(self._resolutions, lines, [one for one, _ in taken])

    def add_probings(self, batch: Sequence[Record]) -> None:
        """Add records of problem.reprobed, and the difficulties of those that the aggregator gave to rows."""
        events = [(one, one.event) for one in batch if isinstance(one.event, ProblemReprobed)]
        taken = self._amend(events, set_difficulty)
        lines = [build.to_probing(one, event, one.written) for one, event in taken]
        self.probings += self._append(self._probings, lines, [one for one, _ in taken])

    def add_reviews(self, batch: Sequence[Record]) -> None:
        """Add records of problem.reviewed, and the decisions of those that the aggregator gave to rows."""
        events = [(one, one.event) for one in batch if isinstance(one.event, ProblemReviewed)]
        taken = self._amend(events, decide_key)
        lines = [build.to_review(one, event, one.written) for one, event in taken]
        self.reviews += self._append(self._reviews, lines, [one for one, _ in taken])

    def _amend(self, events: Sequence[tuple[Record, A]], amend: Callable[[Row, A], Row]) -> Sequence[tuple[Record, A]]:
        """Change the rows of those on which the aggregator has decided, and return these."""
        taken = [(one, event) for one, event in events if self._is_applied(one, event)]
        found = self._rows.read([field.name for field in fields(Row)], where=id_in({event.key for _, event in taken}))
        rows = {row.id: row for row in map(Row.of, found)}
        for _, event in taken:
            if row := rows.get(event.key):
                rows[row.id] = self._as_known(amend(row, event))
        if rows:
            self._rows.set_expressions(amendments(rows.values()), rows, {}, {})
        return taken

    def _append(self, table: Table, lines: Iterable[Source], records: Sequence[Record]) -> int:
        """Append the lines that are new, with the watermark; returns their number."""
        new = [line for line in lines if self._is_new(line.id)]
        table.append(new, table.watermarks(records), {})
        return len(new)

    def finish(self) -> None:
        """Restore the progress of the release policy, and compact the tables."""
        rows = self._rows.read(["id", "row_hash"], where=id_in(self._unlike))
        self.differing = [row["id"] for row in rows if row["row_hash"] != self._replay.curated[row["id"]].row_hash]
        self._rows.append([], asdict(self._replay.progress()), {})
        for table in self._tables:
            table.compact()

    def _add_entries(self, batch: Sequence[Record], marks: dict[str, int] | None = None) -> None:
        built = [build.to_entry(record, record.written) for record in batch]
        lines = [line for line in built if line and self._is_new(line.id)]
        if lines or marks:
            self._ledger.append(lines, marks or {}, {})
            self.entries += len(lines)

    def _is_new(self, id_: str) -> bool:
        new = id_ not in self._known
        self._known.add(id_)
        return new

    def _is_decided(self, record: Record) -> bool:
        """Whether the aggregator decided on a record and on all before it in its partition."""
        event = record.event
        due = isinstance(event, SolutionChecked) and event.final and build.can_curate(event)
        if due and event.key not in self._replay.curated and event.key not in self._replay.deleted:
            self._waiting.add((record.kafka_topic, record.partition))
        return (record.kafka_topic, record.partition) not in self._waiting

    def _is_applied(self, record: Record, event: ItemEvent) -> bool:
        """Whether the aggregator has decided on a record about a stored problem, and on all before it."""
        has_row = event.key in self._replay.curated and event.key not in self._replay.deleted
        if has_row and str(event.id) not in self._replay.applied:
            self._waiting.add((record.kafka_topic, record.partition))
        return (record.kafka_topic, record.partition) not in self._waiting

    def _as_known(self, row: Row) -> Row:
        """Return a row as it was published last, with the solution that was chosen then."""
        known = self._replay.curated[row.id]
        row = replace(row, event=known.event, event_hash=known.event_hash)
        return with_hash_of(in_order(row, self._replay.applied), known.row_hash)

    def _row(self, record: Record) -> Row | None:
        """Return the row as it was admitted; None for a deleted row or another record."""
        event = record.event
        known = self._replay.curated.get(event.key)
        if not isinstance(event, SolutionChecked) or not event.final or not known or event.key in self._replay.deleted:
            return None
        row = build.to_row(record, event, self._replay.curated_at[event.key])
        row = with_hash_of(row, known.row_hash)
        if row.row_hash != known.row_hash:
            self._unlike.add(row.id)
        return replace(row, views=known.views, admission=known.admission, split=known.split)
