"""Reading the dataset: typed rows, counts, one item by its id."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from shared.dataset.schema import Entry, Row, Source, arrow_schema
from shared.dataset.table import TABLES, readable
from shared.errors import Refusal

T = TypeVar("T", bound=Source)


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One table at one version."""

    of: type[T]
    delta: DeltaTable

    @property
    def version(self) -> int:
        return self.delta.version()

    def __iter__(self) -> Iterator[T]:
        return self.select()

    def __len__(self) -> int:
        return int(self._dataset().count_rows())

    def select(self, where: Any = None) -> Iterator[T]:
        """Lines that an Arrow expression selects, or all; a few in memory at a time, in no promised order."""
        columns = arrow_schema(self.of).names
        for batch in self._dataset().to_batches(columns=columns, filter=where, batch_size=64, batch_readahead=1):
            yield from map(self.of.of, batch.to_pylist())

    def table(self, *columns: str) -> pa.Table:
        """Some columns of all lines."""
        return self._dataset().to_table(columns=list(columns))

    def counts(self, *columns: str) -> Counter[tuple[Any, ...]]:
        """Lines by the values of some columns."""
        grouped = self.table(*columns).group_by(list(columns)).aggregate([([], "count_all")])
        *keys, numbers = (grouped[name].to_pylist() for name in (*columns, "count_all"))
        return Counter(dict(zip(zip(*keys, strict=True), numbers, strict=True)))

    def _dataset(self) -> Any:
        return self.delta.to_pyarrow_dataset()


@dataclass(frozen=True, slots=True)
class Found:
    """What the dataset has about one item: its row, if it is curated, and its lines in the ledger."""

    row: Row | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The curated dataset in a folder."""

    rows: Part[Row]
    ledger: Part[Entry]

    @classmethod
    def open(cls, folder: Path, version: int | None = None, ledger_version: int | None = None) -> "Dataset":
        """The dataset as it is now, or at a version of its tables.

        Raises Refusal when there is none yet, no such version, or a newer software wrote it.
        """
        return cls(Part(Row, _opened(folder, Row, version)), Part(Entry, _opened(folder, Entry, ledger_version)))

    def get(self, prefix: str) -> Found:
        """The item whose id begins so. Raises Refusal when there is none or more than one."""
        ids = self._ids(self.rows, "id", prefix) | self._ids(self.ledger, "item_id", prefix)
        if not ids:
            raise Refusal(f"no item in the dataset has an id that begins with {prefix!r}", "Look for it in the ledger")
        if len(ids) > 1:
            some = ", ".join(sorted(ids)[:3])
            raise Refusal(f"{prefix!r} is ambiguous: {len(ids)} ids begin so ({some}, …)", "Give more characters of it")
        (one,) = ids
        rows = list(self.rows.select(pc.field("id") == one))
        return Found(rows[0] if rows else None, tuple(self.ledger.select(pc.field("item_id") == one)))

    def _ids(self, part: Part[Any], column: str, prefix: str) -> set[str]:
        begins = pc.starts_with(pc.field(column), pattern=prefix)
        return set(part.delta.to_pyarrow_dataset().to_table(columns=[column], filter=begins)[column].to_pylist())


def _opened(folder: Path, of: type[Source], version: int | None) -> DeltaTable:
    table = folder / TABLES[of]
    if not DeltaTable.is_deltatable(str(table)):
        raise Refusal(f"there is no dataset in {folder} yet", "Grow one with `chimera run`, or name its folder")
    try:
        return readable(DeltaTable(table, version=version))
    except ValueError as error:
        raise Refusal(f"{table} has no version {version}", "Look at the releases in its folder releases/") from error
