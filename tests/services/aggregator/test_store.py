"""The dataset on an object store: as in a folder; and a store that fails hides nothing and doubles nothing."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.aggregator.handler import Curate
from services.cli.__main__ import app
from shared.dataset import Dataset, list_manifests, open_release
from shared.dataset.maintenance import purge
from shared.errors import Refusal, Transient
from tests.support.items import checked, log, plan, record, rejected
from tests.support.s3_store import SECRET, WHERE, Store, store

TOPICS = dict.fromkeys(("solution.checked", "problem.rejected", "sample.deleted", "audit.judged"), "one")


@pytest.fixture
async def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    async with store(tmp_path) as started:
        for name, value in started.env.items():
            monkeypatch.setenv(name, value)
        yield started


async def sink(bucket: Store, rows: int = 3) -> Curate:
    made = Curate(WHERE, "test", plan(rows, every=2), lambda: datetime(2026, 1, 1, tzinfo=UTC), print)
    await made.open(TOPICS)
    return made


def kept(bucket: Store) -> Counter[str]:
    return Counter(row.id for row in Dataset.open(WHERE).rows)


def ids(*numbers: int) -> Counter[str]:
    return Counter(str(checked(number).item.id) for number in numbers)


async def test_of_two_writers_one_stale_no_row_is_lost_or_doubled(bucket: Store) -> None:
    zombie, heir = await sink(bucket), await sink(bucket)
    records = [record(checked(number), number // 2, number % 2) for number in range(6)]
    await heir.write(records[:3])
    await zombie.write(records[:2])
    await asyncio.gather(heir.write(records[3:]), zombie.write(records[2:]))
    assert kept(bucket) == ids(*range(6))
    assert Dataset.open(WHERE).rows.counts("admission") == {("in",): 3, ("reserve",): 3}


async def test_releases_lie_next_to_the_tables_and_every_command_reads_them(
    bucket: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await sink(bucket)
    await writer.write(log(checked(0), checked(1), rejected(7)))
    first, _ = writer.outbox(None)
    assert writer.outbox(None)[0] == first
    await writer.write([record(checked(2), 9)])
    writer.outbox(None)
    assert [one["rows"] for one in list_manifests(WHERE)] == [2, 3]

    def reported(*command: str) -> str:
        result = CliRunner().invoke(app, ["dataset", *command, "--dir", str(tmp_path)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    monkeypatch.setenv("CHIMERA_DATASET", WHERE)
    assert [one["number"] for one in json.loads(reported("versions", "--json"))["releases"]] == [1, 2]
    assert json.loads(reported("diff", "1", "latest", "--json"))["in"] == 1
    assert json.loads(reported("stats", "--json"))
    assert json.loads(reported("rejects", "--json"))
    assert str(checked(1).item.id) in reported("show", str(checked(1).item.id))
    assert "3 records" in reported("export", "--out", str(tmp_path / "out"))
    with pytest.raises(Refusal, match="has no version 99"):
        Dataset.open(WHERE, 99)


async def test_a_release_whose_files_were_purged_is_refused(bucket: Store) -> None:
    writer = await sink(bucket)
    await writer.write(log(checked(0), checked(1)))
    writer.outbox(None)
    await writer.write(log(checked(0), checked(1), checked(2), partitions=1))
    assert len(open_release(WHERE, "1")[0].rows) == 2
    rows = Dataset.open(WHERE).rows.delta
    rows.optimize.compact()
    assert purge(WHERE) > 0
    with pytest.raises(Refusal, match="was purged"):
        open_release(WHERE, "1")
    assert kept(bucket) == ids(0, 1, 2)


async def test_a_store_that_forbids_is_one_clear_line_until_it_allows(bucket: Store) -> None:
    writer = await sink(bucket)
    await writer.write([record(checked(0), 0)])
    bucket.forbid("s3:PutObject")
    with pytest.raises(Transient) as refused:
        await writer.write([record(checked(1), 1), record(checked(2), 2)])
    line = str(refused.value)
    assert "cannot write the table" in line
    assert "403 Forbidden" in line
    assert "\n" not in line
    assert SECRET not in line
    assert kept(bucket) == ids(0)
    bucket.forbid()
    await writer.write([record(checked(1), 1), record(checked(2), 2)])
    assert kept(bucket) == ids(0, 1, 2)


async def test_an_unreadable_store_is_one_clear_error_and_recovers(
    bucket: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await sink(bucket)
    await writer.write([record(checked(0), 0), record(checked(1), 1)])
    writer.outbox(None)
    await writer.write([record(checked(2), 2)])
    rows = Dataset.open(WHERE).rows
    bucket.forbid("s3:GetObject")
    for ask in (
        lambda: writer.outbox(None),
        lambda: list_manifests(WHERE),
        lambda: Dataset.open(WHERE),
        lambda: [*rows],
        lambda: [*rows.columns("id")],
    ):
        with pytest.raises(Transient, match=r"^cannot read .*403 Forbidden"):
            ask()
    with pytest.raises(Transient, match=r"^cannot open rows: .*403 Forbidden"):
        await sink(bucket)
    monkeypatch.setenv("CHIMERA_DATASET", WHERE)
    result = CliRunner().invoke(app, ["dataset", "stats", "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "cannot read the dataset in s3://lab/factory: " in result.output
    assert "Next step: Try again; " in result.output
    assert SECRET not in result.output
    bucket.forbid()
    assert len(writer.outbox(None)[0]) == 7
    assert len(list_manifests(WHERE)) == 2
    assert (await sink(bucket)).outbox(None) == writer.outbox(None)


async def test_a_silent_store_is_awaited_and_nothing_is_half_written(bucket: Store) -> None:
    writer = await sink(bucket)
    await writer.write([record(checked(0), 0)])
    bucket.pause()
    writing = asyncio.create_task(writer.write([record(checked(1), 1), record(checked(2), 2)]))
    await asyncio.wait({writing}, timeout=2)
    assert not writing.done()
    bucket.go_on()
    await writing
    assert kept(bucket) == ids(0, 1, 2)
