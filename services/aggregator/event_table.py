"""A table with one line for each event of one type, by id: audits, reverifications, resolutions, reviews."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from schemas.events import ItemEvent
from shared.dataset import Table
from shared.dataset.schema import Source
from shared.ports import Record

E = TypeVar("E", bound=ItemEvent)


class EventTable(Generic[E]):
    """The table and its ids: those of the events' items, or of the events themselves."""

    def __init__(
        self,
        table: Table,
        kind: type[E],
        build: Callable[[Record, E, datetime], Source],
        on_new: Callable[[E], None] = lambda _: None,
        id_of: Callable[[E], str] = lambda event: str(event.item.id),
    ) -> None:
        """`on_new` is called for every event that was appended."""
        self.table, self._kind, self._build, self._on_new, self._id_of = table, kind, build, on_new, id_of
        self.reload()

    def reload(self) -> None:
        """Load the commits of other writers."""
        self.table.reload()
        self._ids = {line["id"] for line in self.table.read(["id"])}

    def new(self, records: Sequence[Record]) -> list[tuple[Record, E]]:
        """Return the records that are not in the table, each id once, in order."""
        found: dict[str, tuple[Record, E]] = {}
        for record in records:
            event = record.event
            if isinstance(event, self._kind) and (id_ := self._id_of(event)) not in self._ids:
                found.setdefault(id_, (record, event))
        return list(found.values())

    def append(self, records: Sequence[Record], now: datetime) -> None:
        """Append the new ones with the watermark, and report each. Raises as `Table.append`."""
        own = [record for record in records if isinstance(record.event, self._kind)]
        if not own:
            return
        new = self.new(own)
        lines = [self._build(record, event, now) for record, event in new]
        self.table.append(lines, self.table.watermarks(own), {})
        self._ids |= {line.id for line in lines}
        for _, event in new:
            self._on_new(event)
