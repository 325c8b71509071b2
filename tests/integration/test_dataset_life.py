"""Rows are deleted, purged and rebuilt, with the real log and the command that a person types."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from deltalake import DeltaTable
from typer.testing import CliRunner

from schemas.audit_tag import AuditTag
from schemas.config.policies import HeldOut
from schemas.flow import FLOW
from services.aggregator.handler import Curate
from services.aggregator.policy import IN
from services.cli.__main__ import app
from shared.clock import utc_now
from shared.dataset import Dataset, Row, Table, open_audits
from shared.runtime.sink import SinkLoop
from tests.support.items import attempt, checked, judged, plan, rejected
from tests.support.kafka_world import KafkaWorld, until

WANTED = plan(4, every=2, train=3).model_copy(update={"held_out": HeldOut(share=0.3)})


async def chimera(world: KafkaWorld, *arguments: str, status: int = 0) -> Any:
    """The command in a thread of its own, for it runs a loop of its own."""
    place = ["--dir", str(world.folder), "--bootstrap", world.kafka, "--factory", world.factory, "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, app, ["dataset", *arguments, *place])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout) if status == 0 else result.stderr


def aggregator(world: KafkaWorld, folder: Path) -> Any:
    sink = Curate(folder, world.factory, WANTED, utc_now, lambda _: None)
    settings = world.settings("aggregator", batch_s=0.01)
    return world.running(lambda made: SinkLoop(sink, settings, made))


def about(number: int) -> Any:
    """A problem that has words of its own."""
    event = checked(number)
    words = event.item.written.with_(statement=f"What is {'abcdefghijklmnopqrst'[number]}?")
    return event.with_(item=event.item.with_(problem=words))


def reported(folder: Path) -> dict[str, tuple[Any, ...]]:
    return {
        row.id: (row.row_hash, row.admission, row.views, row.split, row.kafka_offset)
        for row in Dataset.open(folder).rows
    }


def kept(folder: Path) -> Counter[tuple[str, str]]:
    return Counter((line.id, line.kind) for line in Dataset.open(folder).ledger)


def marks(folder: Path, factory: str) -> dict[str, int | None]:
    table = Table(folder, Row, factory)
    return {name: table.mark(name) for name in ("releases", "unreleased", "untrained", "target")}


async def test_deleted_rows_stay_deleted_and_a_rebuild_publishes_nothing(world: KafkaWorld) -> None:
    folder = world.folder / "dataset"
    early = [about(number) for number in range(8)]
    retried = checked(9, attempts=(attempt(0, "no"),), final=False), checked(9, attempts=(attempt(0, "no"), attempt(1)))
    async with aggregator(world, folder):
        for event in early:
            await world.publish([event])
        await world.publish([*retried, rejected(10), judged(11, AuditTag(kind="sign"))])
        await until(lambda: rows(folder, 9), "nine rows")
        gone = [row.id for row in Dataset.open(folder).rows if row.admission == IN][:2]
        done = await chimera(world, "delete", *(id_[:13] for id_ in gone), "--reason", "a wrong key")
        assert (sorted(done["deleted"]), done["waiting"]) == (sorted(gone), [])
        late = [about(number) for number in range(12, 17)]
        await world.publish(late)
        await until(lambda: rows(folder, 12), "twelve rows")
        await until(lambda: lines(folder, 4), "the ledger")
        await until(lambda: judged_lines(folder, 1), "the audit")
    assert not set(gone) & set(reported(folder))
    assert Counter(row[1] for row in reported(folder).values())[IN] == 4
    assert any(row[3] == "held_out" for row in reported(folder).values())
    ends = {flow.name: await world.ends(flow.name) for flow in FLOW}

    out = world.folder / "again" / "dataset"
    done = await chimera(world, "rebuild", "--out", str(out))
    assert (done["rows"], done["ledger"], done["audits"], done["differing"]) == (12, 4, 1, [])
    assert reported(out) == reported(folder)
    assert kept(out) == kept(folder)
    assert [line.id for line in open_audits(out)] == [line.id for line in open_audits(folder)]
    assert marks(out, world.factory) == marks(folder, world.factory)
    async with aggregator(world, out):
        await world.publish([about(17)])
        await until(lambda: rows(out, 13), "the next row")
    new = {name: end for flow in FLOW for name, end in [(flow.name, await world.ends(flow.name))] if end != ends[name]}
    assert set(new) == {"solution.checked", "sample.curated"}
    assert sum(new["sample.curated"].values()) == sum(ends["sample.curated"].values()) + 1
    assert "is not empty" in await chimera(world, "rebuild", "--out", str(out), status=1)


async def test_a_rebuild_leaves_to_the_aggregator_what_it_has_not_spoken_of(world: KafkaWorld) -> None:
    folder, out = world.folder / "dataset", world.folder / "again" / "dataset"
    async with aggregator(world, folder):
        await world.publish([about(number) for number in range(3)])
        await until(lambda: rows(folder, 3), "three rows")
    await world.publish([about(number) for number in range(3, 6)])
    assert (await chimera(world, "rebuild", "--out", str(out)))["rows"] == 3
    async with aggregator(world, out):
        await until(lambda: rows(out, 6), "six rows")


async def test_purged_rows_are_in_no_file_and_their_versions_are_gone(world: KafkaWorld) -> None:
    folder = world.folder / "dataset"
    async with aggregator(world, folder):
        await world.publish([about(number) for number in range(4)])
        await until(lambda: rows(folder, 4), "four rows")
        id_ = str(about(1).item.id)
        done = await chimera(world, "delete", id_, "--reason", "private", "--purge")
        assert done["purged_files"] > 0
        assert "cannot be purged" in done["left"]
        await world.publish([about(5)])
        await until(lambda: rows(folder, 4), "the next row beside the purge")
    found = [pq_ids(path) for path in (folder / "rows").glob("*.parquet")]
    assert id_ not in {one for ids in found for one in ids}
    again = await chimera(world, "delete", id_, "--reason", "private", "--purge")
    assert again["deleted"] == []
    assert "no item" in await chimera(world, "delete", "zzz", "--reason", "x", status=1)


def pq_ids(path: Path) -> list[str]:
    return [str(one) for one in pq.read_table(path, columns=["id"])["id"].to_pylist()]


async def rows(folder: Path, number: int) -> bool:
    made = DeltaTable.is_deltatable(str(folder / "audits"))  # the last of the three
    return made and len(Dataset.open(folder).rows) == number


async def lines(folder: Path, number: int) -> bool:
    return len(Dataset.open(folder).ledger) == number


async def judged_lines(folder: Path, number: int) -> bool:
    return len(open_audits(folder)) == number
