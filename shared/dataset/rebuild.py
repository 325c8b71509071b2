"""The dataset again, from the kept Kafka topics alone: the same rows, admitted as they were. Nothing is published.

The last records of a partition of which the aggregator has not spoken yet are left to it: the tables' watermarks end
before them, so that it goes on there.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

from schemas.events import AuditJudged, SolutionChecked
from shared.dataset import build
from shared.dataset.event_replay import AdmissionReplay
from shared.dataset.schema import Audit, Entry, Row
from shared.dataset.storage import Location
from shared.dataset.table import Table
from shared.ports import Record


class Rebuild:
    """Three new tables in a folder. Every Kafka topic is given in its order; what repeats is left out."""

    def __init__(self, folder: Location, factory: str, said: AdmissionReplay) -> None:
        self._said = said
        self._rows, self._ledger, self._audits = (Table(folder, kind, factory) for kind in (Row, Entry, Audit))
        self._known: set[str] = set()
        self._waiting: set[int] = set()
        """Partitions of solution.checked in which the aggregator has not spoken of everything."""
        self.rows = self.entries = self.audits = 0
        self.differing: list[str] = []
        """Rows that are not what they were, by their hash."""

    def solutions(self, batch: Sequence[Record]) -> None:
        """Of solution.checked: rows, and earlier attempts in the ledger."""
        taken = [one for one in batch if self._spoken_of(one)]
        rows = [row for row in map(self._row, taken) if row and self._new(row.id)]
        if taken:
            self._rows.append(rows, self._rows.watermarks(taken), {})
            self.rows += len(rows)
            self._keep(taken)

    def rejections(self, batch: Sequence[Record]) -> None:
        """Of problem.rejected."""
        self._keep(batch, self._ledger.watermarks(batch))

    def deletions(self, batch: Sequence[Record]) -> None:
        """Of sample.deleted; the rows themselves were never made."""
        self._keep(batch)
        self._rows.append([], self._rows.watermarks(batch), {})

    def judgements(self, batch: Sequence[Record]) -> None:
        """Of audit.judged."""
        built = [build.audit(one, one.event, one.written) for one in batch if isinstance(one.event, AuditJudged)]
        lines = [line for line in built if self._new(line.id)]
        self._audits.append(lines, self._audits.watermarks(batch), {})
        self.audits += len(lines)

    def finish(self) -> None:
        """The policy of releases goes on where it stood; files become few."""
        self._rows.append([], asdict(self._said.progress()), {})
        for table in (self._rows, self._ledger, self._audits):
            table.compact()

    def _keep(self, batch: Sequence[Record], marks: dict[str, int] | None = None) -> None:
        built = [build.entry(record, record.written) for record in batch]
        lines = [line for line in built if line and self._new(line.id)]
        if lines or marks:
            self._ledger.append(lines, marks or {}, {})
            self.entries += len(lines)

    def _new(self, id_: str) -> bool:
        new = id_ not in self._known
        self._known.add(id_)
        return new

    def _spoken_of(self, record: Record) -> bool:
        """Whether the aggregator is past a record; in its partition, nothing after one that it is not."""
        event = record.event
        due = isinstance(event, SolutionChecked) and event.final and build.curable(event)
        if due and event.key not in self._said.curated and event.key not in self._said.deleted:
            self._waiting.add(record.partition)
        return record.partition not in self._waiting

    def _row(self, record: Record) -> Row | None:
        """The row as it was admitted; none for what is no row, or was deleted."""
        event = record.event
        said = self._said.curated.get(event.key)
        if not isinstance(event, SolutionChecked) or not event.final or not said or event.key in self._said.deleted:
            return None
        row = build.row(record, event, self._said.since[event.key])
        if row.row_hash != said.row_hash:
            self.differing.append(row.id)
        return replace(row, views=said.views, admission=said.admission, split=said.split)
