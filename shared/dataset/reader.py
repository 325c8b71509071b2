"""Reading the dataset: typed rows, counts, one item by its id.

Everything here raises Transient when the disk or the store does not answer, or says no.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from shared.dataset import query
from shared.dataset.failures import translate_errors
from shared.dataset.schema import Audit, Entry, Row, Source
from shared.dataset.storage import Location, join, table
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
        return sum(self.counts("schema_version").values())

    def select(self, where: str = "true") -> Iterator[T]:
        """Lines for which an SQL condition holds, or all; a few in memory at a time, in no promised order."""
        return map(self.of.of, self.columns(*(field.name for field in fields(self.of)), where=where))

    def columns(self, *names: str, where: str = "true") -> Iterator[dict[str, Any]]:
        """Some columns of the lines for which an SQL condition holds."""
        return query.select(self.delta, names, where)

    def table(self, *names: str) -> pa.Table:
        """Some columns of all lines."""
        return query.table(self.delta, names)

    def batches(self, rows: int, where: str = "true") -> Iterator[list[dict[str, Any]]]:
        """Whole lines, at most so many in memory at a time, in the same order each time."""
        return query.batches(self.delta, [field.name for field in fields(self.of)], rows, where)

    def counts(self, *columns: str, where: str = "true") -> Counter[tuple[Any, ...]]:
        """Lines by the values of some columns."""
        answers = query.counts(self.delta, columns, where)
        return Counter({tuple(one[column] for column in columns): one["lines"] for one in answers})


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
    def open(cls, folder: Location, version: int | None = None, ledger_version: int | None = None) -> "Dataset":
        """The dataset as it is now, or at a version of its tables.

        Raises Refusal when there is none yet, no such version, or a newer software wrote it.
        """
        return cls(Part(Row, _opened(folder, Row, version)), Part(Entry, _opened(folder, Entry, ledger_version)))

    @staticmethod
    def there(folder: Location) -> bool:
        """Whether there is one that can be opened."""
        with _reading(folder):
            return bool(table(folder, TABLES[Row]) and table(folder, TABLES[Entry]))

    def get(self, prefix: str) -> Found:
        """The item whose id begins so. Raises Refusal when there is none or more than one."""
        begins = f"starts_with({{}}, {query.text(prefix.lower())})"
        ids = {row["id"] for row in self.rows.columns("id", where=begins.format("id"))}
        ids |= {line["item_id"] for line in self.ledger.columns("item_id", where=begins.format("item_id"))}
        if not ids:
            raise Refusal(f"no item in the dataset has an id that begins with {prefix!r}", "Look for it in the ledger")
        if len(ids) > 1:
            some = ", ".join(sorted(ids)[:3])
            raise Refusal(f"{prefix!r} is ambiguous: {len(ids)} ids begin so ({some}, …)", "Give more characters of it")
        (one,) = ids
        row = next(self.rows.select(f"id = {query.text(one)}"), None)
        return Found(row, tuple(self.ledger.select(f"item_id = {query.text(one)}")))


def audits(folder: Location) -> Part[Audit]:
    """The audits as they are now. Raises Refusal when there are none yet, or a newer software wrote them."""
    with _reading(folder):
        delta = table(folder, TABLES[Audit])
        found = Part(Audit, readable(delta)) if delta else None
    if found is None or len(found) == 0:
        next_step = "Have curated problems audited with `audits: {rate: 0.05}` in the plan, and run again"
        raise Refusal(f"no audit has been judged in {folder} yet", next_step)
    return found


def _opened(folder: Location, of: type[Source], version: int | None) -> DeltaTable:
    address = join(folder, TABLES[of])
    with _reading(folder):
        if (present := table(folder, TABLES[of])) is None:
            raise Refusal(f"there is no dataset in {folder} yet", "Grow one with `chimera run`, or name its folder")
        if version is None:
            return readable(present)
        try:
            return readable(DeltaTable(address, version=version))
        except DeltaError as error:
            next_step = f"Take a version from a release in {join(folder, 'releases')}"
            raise Refusal(f"{address} has no version {version}: {error}", next_step) from error


def _reading(folder: Location) -> AbstractContextManager[None]:
    return translate_errors(f"cannot read the dataset in {folder}")
