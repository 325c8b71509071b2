"""Runs a factory without an end on the simulator, records memory and disk, and checks that both stay flat.

    make soak                               20 minutes, more than 20,000 model calls
    make soak ARGS="--minutes 5 --calls 0"

Finished records are trimmed as `chimera up` does it, only after seconds instead of a day. Rows, and the Kafka topics
that are kept for ever, grow with the problems that end: of these the bytes per problem must stay flat, as of Valkey.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local.state_file import StateFile
from schemas.flow import DEAD_LETTERS
from services.cli.common.names import FACTORY
from shared.config.connections import KafkaAccess
from shared.dataset import Dataset, open_audits
from shared.errors import Refusal
from shared.kafka.admin.retention import transit_topics, trim
from shared.kafka.admin.topics import topic_settings
from shared.kafka.clients import open_admin
from shared.kafka.names import kafka_topic
from shared.kafka.read.records import partitions_in_use, read_records

INTERVAL_S = 15.0
KEEP_HOURS = 30 / 3600
SEGMENT_MS = "15000"
GROWTH = 1.25
"""Largest ratio of the last third to the middle third of a run."""
SLACK_BYTES = 32 * 1024 * 1024
"""Growth that is never counted: caches, segments that are still written."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. Sizes are in bytes."""

    seconds: float
    calls: int
    """Model calls that the simulator answered."""
    rows: int
    ended: int
    """Rows, and lines of the ledger and of the audits: problems that have ended in any way."""
    memory: dict[str, int]
    """Resident memory by process."""
    transit: int
    """Log of the Kafka topics that are trimmed."""
    kept: int
    """Log of all other Kafka topics of the factory."""
    valkey: int
    dataset: int
    logs: int


async def run(directory: Path, minutes: float) -> tuple[list[Sample], dict[str, object]]:
    """Run the factory; return what was recorded, and what it made."""
    calls = directory / "calls.jsonl"
    environment = {**os.environ, "CHIMERA_SIM_CALL_LOG": str(calls), "CHIMERA_SIM_LATENCY_MS": "{}"}  # noqa: TID251
    plan = Path(__file__).with_name("plan.yaml")
    await _chimera("up", "--plan", str(plan), "--dir", str(directory), environment=environment)
    try:
        state = StateFile.read(directory)
        access = KafkaAccess(state.bootstrap or "")
        await _use_short_segments(access)
        samples, started = list[Sample](), time.monotonic()
        while (now := time.monotonic() - started) < minutes * 60:
            await asyncio.sleep(INTERVAL_S)
            await trim(access, FACTORY, keep_hours=KEEP_HOURS)
            samples.append(await asyncio.to_thread(_sample, directory, calls, now + INTERVAL_S))
            _print(samples[-1])
        return samples, await _results(directory, access)
    finally:
        await _chimera("down", "--dir", str(directory), environment=environment)


async def _chimera(*arguments: str, environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise SystemExit(f"chimera {arguments[0]} failed")


async def _use_short_segments(access: KafkaAccess) -> None:
    """A segment is deleted as a whole, never while it is written: minutes are too short for one of an hour."""
    settings = topic_settings(FACTORY, 1)
    names = [flow.name for flow in transit_topics()]
    short = {"segment.ms": SEGMENT_MS, "file.delete.delay.ms": "1000"}
    changed = {name: {**settings[name].topic_configs, **short} for name in names}
    async with open_admin(access) as admin:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, kafka_topic(FACTORY, name), changed[name]) for name in names]
        )


def _sample(directory: Path, calls: Path, seconds: float) -> Sample:
    transit = {kafka_topic(FACTORY, flow.name) for flow in transit_topics()}
    segments = (directory / "kafka" / "data").glob("chimera.*/*.log")
    logs = [(path.parent.name.rpartition("-")[0], path) for path in segments]
    running = StateFile.read(directory).processes
    dataset = directory / "dataset"
    tables = _count(dataset) if Dataset.exists(dataset) else [0]
    return Sample(
        seconds=round(seconds),
        calls=sum(1 for _ in calls.open("rb")) if calls.exists() else 0,
        rows=tables[0],
        ended=sum(tables),
        memory={process.name: memory for process in running if (memory := _rss(process.id.pid))},
        transit=_size(path for topic, path in logs if topic in transit),
        kept=_size(path for topic, path in logs if topic not in transit),
        valkey=_size((directory / "valkey").rglob("*")),
        dataset=_size(dataset.rglob("*")),
        logs=_size((directory / "logs").rglob("*")),
    )


def _count(dataset: Path) -> list[int]:
    """Count the lines of rows, ledger and audits."""
    found = Dataset.open(dataset)
    try:
        audits = len(open_audits(dataset))
    except Refusal:  # none yet
        audits = 0
    return [len(found.rows), len(found.ledger), audits]


def _rss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _size(files: Iterable[Path]) -> int:
    total = 0
    for file in files:
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue  # it was deleted meanwhile
    return total


async def _results(directory: Path, access: KafkaAccess) -> dict[str, object]:
    """Count what must have happened at least once."""
    counts = {}
    for name in ("dataset.released", "training.triggered", DEAD_LETTERS):
        partitions = await partitions_in_use(access, FACTORY, [name])
        batches = [batch async for batch in read_records(access, partitions)]
        counts[name] = sum(len(records) for batch in batches for records in batch.values())
    entries = Dataset.open(directory / "dataset").ledger.counts("kind", "reason")
    rejected = {reason: count for (kind, reason), count in entries.most_common() if kind == "rejected"}
    return {**counts, "rejected": rejected}


def failures(samples: Sequence[Sample], results: dict[str, object], calls: int) -> Iterator[str]:
    """Yield what did not stay flat, and what did not happen."""
    if len(samples) < 9:
        yield "too few samples"
        return
    for process in samples[-1].memory:
        yield from _growth(f"memory of {process}", [one.memory.get(process, 0) for one in samples], SLACK_BYTES)
    for name in ("transit", "logs"):
        yield from _growth(name, [getattr(one, name) for one in samples], SLACK_BYTES)
    for name in ("kept", "valkey", "dataset"):
        per_problem = [getattr(one, name) / max(one.ended, 1) for one in samples]
        yield from _growth(f"{name} per problem", per_problem, SLACK_BYTES / max(samples[-1].ended, 1))
    if samples[-1].calls <= calls:
        yield f"{samples[-1].calls} model calls, not more than {calls}"
    for name in ("dataset.released", "training.triggered"):
        if not results[name]:
            yield f"no {name}"
    if not {"repeat", "variant", "near_repeat"} & set(results["rejected"]):  # type: ignore[call-overload]
        yield "no repeats"


def _growth(name: str, values: Sequence[float], slack: float = 0.0) -> Iterator[str]:
    """Compare the last third with the middle one; the first is for caches to fill."""
    third = len(values) // 3
    before, after = statistics.median(values[third : 2 * third]), statistics.median(values[2 * third :])
    if after > GROWTH * before + slack:
        yield f"{name} grew from {before:,.0f} to {after:,.0f}"


def _print(one: Sample) -> None:
    names = ("transit", "kept", "valkey", "dataset", "logs")
    sizes = ", ".join(f"{name} {getattr(one, name) / 1e6:.1f}" for name in names)
    memory = sum(one.memory.values()) / 1e6
    counts = f"{one.seconds:5.0f} s {one.calls:6} calls {one.rows:5} rows {one.ended:6} ended"
    print(f"{counts}; MB: memory {memory:.0f}, {sizes}", flush=True)  # noqa: T201


def main() -> int:
    """Run, print, and check."""
    parser = argparse.ArgumentParser(description="A long run that must stay flat.")
    parser.add_argument("--minutes", type=float, default=20, help="length of the run (20)")
    parser.add_argument("--calls", type=int, default=20_000, help="model calls that there must be more of (20,000)")
    parser.add_argument("--json", type=Path, help="file for everything that was recorded")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples, results = asyncio.run(run(Path(folder) / "soak", options.minutes))
    if options.json:
        options.json.write_text(json.dumps({"samples": [asdict(one) for one in samples], "results": results}, indent=1))
    print(json.dumps(results))  # noqa: T201
    found = list(failures(samples, results, options.calls))
    print("\n".join(found) or "flat")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
