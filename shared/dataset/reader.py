"""Reads the dataset: typed rows, counts, one item by its id.

Every function raises Transient when the disk or the store fails or refuses.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from typing import Any, Generic, TypeVar

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from schemas.item import Item
from shared.dataset import build, query
from shared.dataset.failures import translate_errors
from shared.dataset.schema import Audit, Entry, Probing, Resolution, Reverification, ReviewLine, Row, Source
from shared.dataset.storage import Location, address, join, open_table
from shared.dataset.table import TABLES, check_version
from shared.errors import Refusal
from shared.stats.item_belief import complete_belief

T = TypeVar("T", bound=Source)


@dataclass(frozen=True, slots=True)
class TableSnapshot(Generic[T]):
    """One table at one version."""

    line_type: type[T]
    delta: DeltaTable

    @property
    def version(self) -> int:
        return self.delta.version()

    def __iter__(self) -> Iterator[T]:
        return self.select()

    def __len__(self) -> int:
        return sum(self.counts("schema_version").values())

    def select(self, where: str = "true") -> Iterator[T]:
        """Yield the lines that match an SQL condition, in no defined order, with one batch in memory at a time."""
        return map(self.line_type.of, self.columns(*(field.name for field in fields(self.line_type)), where=where))

    def columns(self, *names: str, where: str = "true") -> Iterator[dict[str, Any]]:
        """Yield some columns of the lines that match an SQL condition."""
        return query.select(self.delta, names, where)

    def newest(self, *names: str, at: str, limit: int, where: str = "true") -> Iterator[dict[str, Any]]:
        """Yield some columns of the latest lines, by the time in the column `at`, that match an SQL condition."""
        return query.newest(self.delta, names, at, limit, where)

    def total(self, column: str, where: str = "true") -> dict[str, Any]:
        """Return the sum of a column (`known`) and the number of lines without a value in it (`unknown_items`)."""
        return query.total(self.delta, column, where)

    def batches(self, rows: int, where: str = "true") -> Iterator[list[dict[str, Any]]]:
        """Yield all columns in batches of at most `rows` lines, always in the same order."""
        return query.batches(self.delta, [field.name for field in fields(self.line_type)], rows, where)

    def counts(self, *columns: str, where: str = "true") -> Counter[tuple[Any, ...]]:
        """Number of lines by the values of some columns."""
        answers = query.count_lines(self.delta, columns, where)
        return Counter({tuple(one[column] for column in columns): one["lines"] for one in answers})


@dataclass(frozen=True, slots=True)
class ItemRecords:
    """All lines about one item: its row, if it is curated, and its ledger lines."""

    row: Row | None
    entries: tuple[Entry, ...]
    """The oldest first."""

    @property
    def id(self) -> str:
        return self.row.id if self.row else self.entries[0].item_id

    @property
    def item(self) -> Item | None:
        """The item with everything that was found out about it; `None` when only a deletion is known."""
        if self.row:
            return build.to_item(self.row)
        complete = [entry.item for entry in self.entries if entry.item]
        return Item.model_validate_json(complete[-1]) if complete else None

    def document(self) -> dict[str, Any]:
        """Everything as JSON, with its nested parts unfolded."""
        nested = ("verdicts", "attempts", "lineage")
        row = self.row and {**asdict(self.row), **{name: json.loads(getattr(self.row, name)) for name in nested}}
        entries = [{**asdict(one), "item": json.loads(one.item) if one.item else None} for one in self.entries]
        belief = complete_belief(self.item) if self.item else None
        return {"row": row, "ledger": entries, "belief": belief and belief.model_dump(mode="json")}


@dataclass(frozen=True, slots=True)
class Dataset:
    """The curated dataset in a folder."""

    rows: TableSnapshot[Row]
    ledger: TableSnapshot[Entry]
    folder: Location

    @classmethod
    def open(cls, folder: Location, version: int | None = None, ledger_version: int | None = None) -> "Dataset":
        """Open the dataset at its present version, or at given versions of its tables.

        Raises Refusal when there is no dataset or no such version, or newer software wrote it.
        """
        return cls(
            TableSnapshot(Row, _open_table(folder, Row, version)),
            TableSnapshot(Entry, _open_table(folder, Entry, ledger_version)),
            folder,
        )

    def decided(self) -> dict[str, bool]:
        """Whether the key of an item is right, by the last decision of a person about it."""
        lines = [] if (reviews := open_reviews(self.folder)) is None else list(reviews)
        ordered = sorted(lines, key=lambda line: (line.reviewed_at, line.kafka_offset))
        return {line.item_id: line.decision == "accept" for line in ordered}

    @staticmethod
    def exists(folder: Location) -> bool:
        """Whether the folder has a dataset."""
        with _translate_errors(folder):
            return bool(open_table(folder, TABLES[Row]) and open_table(folder, TABLES[Entry]))

    def get(self, prefix: str) -> ItemRecords:
        """Return the item whose id starts with `prefix`. Raises Refusal when there is none or more than one."""
        begins = f"starts_with({{}}, {query.sql_string(prefix.lower())})"
        ids = {row["id"] for row in self.rows.columns("id", where=begins.format("id"))}
        ids |= {line["item_id"] for line in self.ledger.columns("item_id", where=begins.format("item_id"))}
        if not ids:
            step = "`chimera dataset rejects` lists what was rejected"
            raise Refusal(f"no item in the dataset has an id that starts with {prefix!r}", step)
        if len(ids) > 1:
            some = ", ".join(sorted(ids)[:3])
            raise Refusal(f"{prefix!r} is ambiguous: {len(ids)} ids start with it ({some}, …)", "Give more characters")
        (one,) = ids
        row = next(self.rows.select(f"id = {query.sql_string(one)}"), None)
        entries = self.ledger.select(f"item_id = {query.sql_string(one)}")
        return ItemRecords(row, tuple(sorted(entries, key=lambda entry: entry.recorded_at)))


def open_audits(folder: Location) -> TableSnapshot[Audit]:
    """Open the audits. Raises Refusal when there are none yet, or newer software wrote them."""
    audits = find_audits(folder)
    if audits is None or len(audits) == 0:
        next_step = "Set `audits: {rate: 0.05}` in the plan, and run again"
        raise Refusal(f"no audit has been judged in {folder} yet", next_step)
    return audits


def find_audits(folder: Location) -> TableSnapshot[Audit] | None:
    """Open the audits; `None` when there is no table of them yet. Raises Refusal when newer software wrote them."""
    with _translate_errors(folder):
        delta = open_table(folder, TABLES[Audit])
        return TableSnapshot(Audit, check_version(delta)) if delta else None


def open_reverifications(folder: Location) -> TableSnapshot[Reverification] | None:
    """Open the reverifications; `None` when there are none yet. Raises Refusal when newer software wrote them."""
    return _open_if_there(folder, Reverification)


def open_resolutions(folder: Location) -> TableSnapshot[Resolution] | None:
    """Open the resolutions, as `open_reverifications`."""
    return _open_if_there(folder, Resolution)


def open_probings(folder: Location) -> TableSnapshot[Probing] | None:
    """Open the measurements of difficulty that were made again, as `open_reverifications`."""
    return _open_if_there(folder, Probing)


def open_reviews(folder: Location) -> TableSnapshot[ReviewLine] | None:
    """Open the decisions of people, as `open_reverifications`."""
    return _open_if_there(folder, ReviewLine)


def _open_if_there(folder: Location, of: type[T]) -> TableSnapshot[T] | None:
    with _translate_errors(folder):
        delta = open_table(folder, TABLES[of])
        return TableSnapshot(of, check_version(delta)) if delta else None


def _open_table(folder: Location, of: type[Source], version: int | None) -> DeltaTable:
    with _translate_errors(folder):
        if (present := open_table(folder, TABLES[of])) is None:
            raise Refusal(f"there is no dataset in {folder} yet", "Make one with `chimera run`, or name its folder")
        if version is None:
            return check_version(present)
        try:
            return check_version(DeltaTable(address(folder, TABLES[of]), version=version))
        except DeltaError as error:
            next_step = f"Take a version from a release in {join(folder, 'releases')}"
            raise Refusal(f"{join(folder, TABLES[of])} has no version {version}: {error}", next_step) from error


def _translate_errors(folder: Location) -> AbstractContextManager[None]:
    return translate_errors(f"cannot read the dataset in {folder}")
