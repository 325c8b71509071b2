"""Records the folder of a factory that is killed, and the code that made it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
from deltalake import DeltaTable
from deploy.local.record import Record
from redis.asyncio import Redis

from services.aggregator.state import State as AggregatorState
from shared.dataset import Entry, Row, Table
from tests.e2e.factory import RATES
from tests.world import World

OUT = Path(__file__).parents[1] / "recorded"
FACTORY, SEED = "chimera", 7
FOREVER_DAYS = 36500
"""Valkey keeps its keys this long, so that the recording does not expire."""
MODELS = ("sim-writer", "sim-verifier-a", "sim-verifier-b", "sim-solver", "sim-judge", "sim-base")
MADE_ANEW = ("logs", "cli.log", "control.sock", "lock", "stack.json.new")
"""A start writes these again; they name the machine."""


def write(name: str, content: object) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, default=lambda value: value.decode())
    (OUT / name).write_text(text + "\n")


def packed(name: str, paths: Sequence[tuple[Path, str]], chosen: Any = lambda info: info) -> None:
    """Pack files and folders under the names given."""

    def without_owner(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        return chosen(info)

    with tarfile.open(OUT / name, "w:xz", preset=9) as archive:
        for path, as_ in paths:
            archive.add(path, as_, filter=without_owner)


def code(checkout: Path) -> None:
    """The packages that a service needs."""

    def chosen(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        left_out = ("services/simulator", "services/cli", "schemas/generated", "schemas/released")
        skip = info.name.startswith(left_out) or "__pycache__" in info.name or info.name.endswith("README.md")
        return None if skip else info

    packed("code.tar.xz", [(checkout / name, name) for name in ("services", "shared", "schemas")], chosen)


def factory(base: Path) -> None:
    """Run, let one verifier and then every model go away, kill."""
    directory, calls = base / "stack", base / "calls.jsonl"
    slow = {"sim-verifier-b": {"first_token_ms": 400}}
    env = {
        "CHIMERA_SIM_CALL_LOG": calls,
        "CHIMERA_SIM_FAULTS": json.dumps(slow),
        "CHIMERA_MARKER_DAYS": FOREVER_DAYS,
        "CHIMERA_SESSION_S": 6,  # the next start waits so long for the killed members of the groups
    }
    command = ["run", "--dir", directory, "--plan", OUT / "plan.factory.yaml", "--seed", SEED, "--json"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "services.cli", *map(str, command)],
        env={**os.environ, **RATES, **{name: str(value) for name, value in env.items()}},  # noqa: TID251 - passed on
    )
    while len(list(directory.glob("dataset/releases/*.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    models = json.loads((directory / "models.json").read_text())
    simulator = models["endpoints"]["simulator"]["base_url"].removesuffix("/v1")
    away(simulator, "sim-verifier-b")
    while not (found := asyncio.run(left(directory)))["waiting"] or not journalled(found, "verifier-b"):
        assert process.poll() is None
        time.sleep(0.1)
    away(simulator, *MODELS)
    time.sleep(4)  # what was answered is kept before the next call is tried
    found = asyncio.run(left(directory))
    running = Record.read(directory)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(one.id.alive() for one in running.processes):
        time.sleep(0.1)
    rows = Table(directory / "dataset", Row, FACTORY)
    progress = AggregatorState.load(rows, Table(directory / "dataset", Entry, FACTORY)).progress
    found["progress"] = asdict(progress)
    found["commit_notes"] = [
        {name: value for name, value in commit.items() if name.startswith("chimera.")} for commit in rows.notes(-1)
    ]
    found["columns"] = {
        name: [
            [field.name, str(field.type), field.nullable]
            for field in DeltaTable(directory / "dataset" / name).schema().fields
        ]
        for name in ("rows", "ledger", "audits")
    }
    assert found["waiting"]
    assert journalled(found, "verifier-b")
    write("factory.json", found)

    def chosen(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if info.name.removeprefix("stack/").split("/")[0] in MADE_ANEW else trimmed(info)

    packed("factory.tar.xz", [(directory, "stack"), (calls, "calls.jsonl")], chosen)


def trimmed(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out the index files that Kafka has reserved but not filled. It writes them again."""
    return None if info.name.endswith((".index", ".timeindex")) and info.size > 1_000_000 else info


def journalled(found: dict[str, Any], service: str) -> bool:
    return any(f":{service}:calls:" in key for key in found["journal"])


def away(simulator: str, *models: str) -> None:
    """These models take no call any more."""
    faults = {model: {"outage": "503"} for model in models}
    httpx.put(f"{simulator}/sim/faults", json=faults, trust_env=False).raise_for_status()


async def left(directory: Path) -> dict[str, Any]:
    """What the log and Valkey hold at this moment."""
    running = Record.read(directory)
    assert running.bootstrap
    assert running.valkey_url
    async with World(running.bootstrap, running.valkey_url, FACTORY, directory) as world:
        cases = {one.key: one.value for one in await world.records("panel-cases-changelog")}
        states = [one.value for one in await world.records("planner-state")]
        published = [one.value for one in await world.records("aggregator-published")]
        incarnations = {one.key: one.value for one in await world.records("incarnations")}
    client = Redis.from_url(running.valkey_url)
    journal = {
        key.decode(): {name.decode(): result.decode() for name, result in (await client.hgetall(key)).items()}
        async for key in client.scan_iter(f"{FACTORY}:*:calls:*")
    }
    keys = sorted({re.sub(r"[0-9a-f-]{32,36}", "ID", key.decode()) async for key in client.scan_iter("*")})
    await client.aclose()
    return {
        "planner-state": states[-1].decode(),
        "panel-cases-changelog": {key.decode(): value.decode() for key, value in cases.items()},
        "waiting": [key.decode() for key, value in cases.items() if json.loads(value).get("heard")],
        "aggregator-published": published[-1].decode() if published else None,
        "incarnations": {key.decode(): value.decode() for key, value in incarnations.items()},
        "journal": journal,
        "keys": keys,
    }


if __name__ == "__main__":
    code(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        factory(Path(folder))
