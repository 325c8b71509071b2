"""The ids of a table's lines, of which only the first half is held in memory."""

from datetime import UTC, datetime
from pathlib import Path

from services.aggregator.known_ids import KnownIds
from shared.dataset import Row, Table, build
from tests.support.items import checked, record


def test_ids_that_begin_alike_are_distinguished_by_the_table(tmp_path: Path) -> None:
    rows = [build.to_row(record(checked(n), n), checked(n), datetime(2026, 1, 1, tzinfo=UTC)) for n in range(2)]
    old, new = (row.id for row in rows)
    table = Table(tmp_path, Row, "test")
    table.append(rows[:1], {}, {})
    known = KnownIds(table)
    table.append(rows[1:], {}, {})
    known.add(new)
    alike = [f"{id_[:19]}-0000-000000000000" for id_ in (old, new)]
    assert known.among([old, new]) == {old, new}
    assert known.among([*alike, "00000000-0000-0000-0000-000000000000"]) == set()
