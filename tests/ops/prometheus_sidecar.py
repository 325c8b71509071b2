"""A real Prometheus and the lag exporter beside a running local stack."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import yaml

from deploy.local.ports import LOOPBACK, Ports
from deploy.local.state_file import StateFile

ROOT = Path(__file__).parents[2]
HERE = ROOT / "deploy" / "prometheus"

START_S = 30.0
"""Seconds that a server may take to become ready."""


class Missing(Exception):
    """A requirement is missing; the message has the next step."""


@asynccontextmanager
async def alongside(directory: Path, every_s: int = 5, trainer: str | None = None) -> AsyncIterator[str]:
    """Yield the URL of a Prometheus that scrapes the stack of a folder and a trainer. Raises Missing."""
    program = shutil.which("prometheus")
    if not program:
        raise Missing("prometheus was not found. Next step: apt-get install prometheus")
    record = StateFile.read(directory)
    if not record.up or not record.bootstrap:
        raise Missing(f"nothing runs in {directory}. Next step: chimera up --dir {directory}")
    ports, home = Ports({"prometheus": 9090}), directory / "prometheus"
    home.mkdir(exist_ok=True)
    (home / "prometheus.yml").write_text(yaml.safe_dump(configuration(home, every_s)))
    exporter, address = f"{LOOPBACK}:{ports.take('exporter')}", f"{LOOPBACK}:{ports.take('prometheus')}"
    settings = {"CHIMERA_KAFKA": record.bootstrap, "CHIMERA_HEALTH_PORT": exporter.rpartition(":")[2]}
    async with AsyncExitStack() as closing:
        with (home / "exporter.log").open("w") as log:
            command = [sys.executable, "-m", "services.exporter"]
            await closing.enter_async_context(_running(command, log.fileno(), settings))
        with (home / "prometheus.log").open("w") as log:
            command = [
                program,
                f"--config.file={home / 'prometheus.yml'}",
                f"--storage.tsdb.path={home / 'data'}",
                f"--web.listen-address={address}",
                "--enable-feature=exemplar-storage",
            ]
            await closing.enter_async_context(_running(command, log.fileno()))
        following = asyncio.create_task(_follow(directory, home / "targets.json", exporter, trainer, every_s))
        closing.callback(following.cancel)
        try:
            await answering(f"http://{address}/-/ready")
        except TimeoutError as late:
            raise Missing(f"Prometheus does not answer. Next step: look into {home / 'prometheus.log'}") from late
        yield f"http://{address}"


def configuration(home: Path, every_s: int) -> dict[str, object]:
    """Return prometheus.yml with the stack's processes as targets and no Alertmanager."""
    shipped = yaml.safe_load((HERE / "prometheus.yml").read_text())
    return {
        "global": {"scrape_interval": f"{every_s}s", "evaluation_interval": f"{every_s}s"},
        "rule_files": [str(HERE / name) for name in shipped["rule_files"]],
        "scrape_configs": [
            {
                "job_name": job["job_name"],
                "file_sd_configs": [{"files": [str(home / "targets.json")], "refresh_interval": f"{every_s}s"}],
                "relabel_configs": [
                    {"source_labels": ["kind"], "regex": job["job_name"], "action": "keep"},
                    {"regex": "kind", "action": "labeldrop"},
                ],
            }
            for job in shipped["scrape_configs"]
        ],
    }


async def answering(url: str) -> None:
    """Wait for a successful response. Raises TimeoutError."""
    async with asyncio.timeout(START_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


async def _follow(directory: Path, file: Path, exporter: str, trainer: str | None, every_s: int) -> None:
    """Update the targets while processes start and stop."""
    models = json.loads((directory / "models.json").read_text())["endpoints"]
    while True:
        processes = StateFile.read(directory).processes
        reported = [
            _target("chimera", one.name, f"{LOOPBACK}:{one.health_port}") for one in processes if one.health_port
        ]
        reported += [
            _target("models", alias, httpx.URL(place["base_url"]).netloc.decode()) for alias, place in models.items()
        ]
        reported.append(_target("exporter", "exporter", exporter))
        reported += [_target("chimera", "trainer", trainer)] if trainer else []
        new = file.with_suffix(".new")
        new.write_text(json.dumps(reported))
        new.replace(file)
        await asyncio.sleep(every_s)


def _target(job: str, process: str, address: str) -> dict[str, object]:
    return {"targets": [address], "labels": {"kind": job, "process": process}}


@asynccontextmanager
async def _running(command: list[str], log: int, settings: dict[str, str] | None = None) -> AsyncIterator[None]:
    environment = {**os.environ, **(settings or {})}  # noqa: TID251 - a child starts from ours
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
