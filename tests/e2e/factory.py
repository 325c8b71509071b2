"""Runs the command as a person does, and reads afterwards what the factory left behind, without its counters."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiokafka import ConsumerRecord
from deltalake import DeltaTable

from deploy.local.supervisor import Stack
from schemas.events import Event
from schemas.flow import DEAD_LETTERS, FLOW
from services.cli.dataset.rebuild import build
from shared.dataset.storage import Location, join
from shared.kafka.codec import decode
from tests.support.kafka_world import KafkaWorld

RATES = {"CHIMERA_SIM_WRONG_KEYS": "0.2", "CHIMERA_SIM_MALFORMED": "0.1", "CHIMERA_SIM_KEY_OVERLAP": "0"}
"""Wrong keys are misprints, never a slip that a solver makes too: then no wrong key can be hit, by nobody."""


@contextmanager
def chimera(directory: Path, *args: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`chimera run` in a folder, in a process of its own."""
    command = [sys.executable, "-m", "services.cli", "run", "--dir", str(directory), "--json", *args]
    log = {"CHIMERA_SIM_CALL_LOG": str(directory.parent / "calls.jsonl")}
    with subprocess.Popen(
        command,
        env={**os.environ, **RATES, **log, **environment},  # noqa: TID251 - a child starts from ours
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


@dataclass(frozen=True, slots=True)
class Remains:
    """What a run left: every record, every event in it, the tables, the calls that the endpoint answered."""

    factory: str
    dataset: Location
    records: dict[str, list[ConsumerRecord]]
    events: dict[str, list[Any]]
    dead: list[ConsumerRecord]
    lag: dict[tuple[str, str], int]
    rows: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    audits: list[dict[str, Any]]
    again: list[dict[str, Any]]
    """Rows that were made again from the log alone."""
    calls: list[dict[str, Any]]

    @property
    def every(self) -> list[Event]:
        return [event for events in self.events.values() for event in events]


async def remains(directory: Path, factory: str = "chimera") -> Remains:
    """Start only Kafka and Valkey in the folder again, and read everything."""
    async with Stack(directory) as stack:
        await stack.start_infrastructure()
        async with KafkaWorld(stack.bootstrap, stack.valkey_url, factory, directory) as world:
            return await read(world, directory / "dataset", directory.parent / "calls.jsonl")


async def read(world: KafkaWorld, dataset: Location, calls: Path) -> Remains:
    """Read everything of a factory whose services are at rest."""
    records = {flow.name: await world.records(flow.name) for flow in FLOW}
    with TemporaryDirectory() as folder:
        await build(world.access, world.factory, Path(folder), lambda name, number: None)
        again = DeltaTable(Path(folder) / "rows").to_pyarrow_table().to_pylist()
    return Remains(
        factory=world.factory,
        dataset=dataset,
        records=records,
        events={n: [decode(n, r.key, r.value, r.headers) for r in found] for n, found in records.items()},
        dead=await world.records(DEAD_LETTERS),
        lag=await lag(world),
        rows=DeltaTable(join(dataset, "rows")).to_pyarrow_table().to_pylist(),
        ledger=DeltaTable(join(dataset, "ledger")).to_pyarrow_table().to_pylist(),
        audits=DeltaTable(join(dataset, "audits")).to_pyarrow_table().to_pylist(),
        again=again,
        calls=answered(calls),
    )


def answered(calls: Path) -> list[dict[str, Any]]:
    """The simulator's record of what it answered."""
    return [json.loads(line) for line in calls.read_text().splitlines()]


async def lag(world: KafkaWorld) -> dict[tuple[str, str], int]:
    """Records that a service has not finished yet, by service and Kafka topic."""
    return {
        (service, flow.name): sum((await world.ends(flow.name)).values())
        - sum((await world.committed(service, flow.name)).values())
        for flow in FLOW
        for service in flow.consumers
        if service != "trainer"
    }
