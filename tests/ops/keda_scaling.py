"""KEDA's scaling on a cluster whose nodes run nothing: Deployments there, a real Kafka and real services here.

    python -m tests.ops.keda_scaling FOLDER

The cluster of KUBECONFIG must reach this machine's loopback. The chart is installed on it with KEDA's scaling, from
zero; KEDA asks the Kafka here for the lag; and as many processes of each service run here as its Deployment has
replicas, with simulated models. FOLDER gets lag.csv and lag.svg: lag and replicas over time, until zero.
"""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from deploy.local.ports import Ports
from deploy.local.process_spec import ProcessSpec
from deploy.local.supervisor import Stack
from schemas.flow import SERVICES
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from shared.kafka.lag import lags
from tests.ops.lag_plot import Sample, draw, write

ROOT = Path(__file__).parents[2]
NAMESPACE, RELEASE = "chimera-lag", "chimera"
EVERY_S, LONGEST_S, SLOWLY_S = 3.0, 1500.0, 300.0
PLAN = {"name": "lag", "rows": 80, "in_progress": 80, "variants": 200, "subjects": {"mathematics": {}, "physics": {}}}
LATENCY_MS = {"sim-writer": 6000, "sim-verifier-a": 2000, "sim-verifier-b": 2000, "sim-solver": 8000}
AT_ONCE = {"problem_writer": 4, "synthesis": 4, "verifier-a": 8, "verifier-b": 8}
"""Low, so that a small plan makes a backlog. Of other services one process suffices."""


def values(stack: Stack, models: dict[str, Any]) -> dict[str, Any]:
    """Values of the chart. No pod needs Valkey or a volume."""
    services: dict[str, Any] = {name: {"inFlight": few, "scaling": {"max": 4}} for name, few in AT_ONCE.items()}
    return {
        "kafka": {"servers": stack.bootstrap, "replication": 1},
        "valkey": {"url": "redis://nowhere:6379/0"},
        "plan": PLAN,
        "models": {"file": models},
        "dataset": {"url": "s3://nowhere/lag"},
        "defaults": {"scaling": {"by": "keda", "min": 0, "max": 1}},
        "services": services,
        "keda": {"pollingInterval": 5, "cooldownPeriod": 45, "scaleDownSeconds": 30},
    }


async def main(folder: Path) -> None:
    """Install, run, record, uninstall."""
    samples: list[Sample] = []
    async with Stack(folder / "stack") as stack:
        await stack.start_infrastructure()
        await provision(KafkaAccess(stack.bootstrap), "chimera")
        await stack.start_services(_processes(folder))
        models = json.loads((folder / "models.json").read_text())
        (folder / "values.yaml").write_text(yaml.safe_dump(values(stack, models)))
        where = ["--namespace", NAMESPACE]
        chart = [RELEASE, str(ROOT / "helm/chimera"), f"--values={folder / 'values.yaml'}"]
        await _run("helm", "upgrade", "--install", *chart, *where, "--create-namespace")
        try:
            await _follow(stack, samples)
        finally:
            write(folder / "lag.csv", samples)
            (folder / "lag.svg").write_text(draw(samples, tuple(AT_ONCE)))
            await _run("helm", "uninstall", RELEASE, *where)


def _processes(folder: Path) -> list[ProcessSpec]:
    """Start the simulator, and every service with no process."""
    port = Ports({}).take("simulator")
    place = {"base_url": f"http://127.0.0.1:{port}/v1", "simulated": True}
    roles = {"writer": "writer", "verifier_a": "verifier-a", "verifier_b": "verifier-b", "solver": "solver"}
    parts = {role: {"endpoint": "simulator", "model": f"sim-{name}"} for role, name in roles.items()}
    (folder / "models.json").write_text(json.dumps({"endpoints": {"simulator": place}, "roles": parts}))
    (folder / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    sim = {"CHIMERA_SIM_PORT": str(port), "CHIMERA_SIM_LATENCY_MS": json.dumps(LATENCY_MS)}
    files = {"PLAN": "plan.yaml", "MODELS": "models.json", "DATASET": "dataset"}
    env = {f"CHIMERA_{name}": str((folder / file).resolve()) for name, file in files.items()}
    services = [
        ProcessSpec(
            service.name,
            f"services.{service.module}",
            env=env | ({"CHIMERA_IN_FLIGHT": str(AT_ONCE[service.name])} if service.name in AT_ONCE else {}),
            replicas=0,
        )
        for service in SERVICES
    ]
    return [ProcessSpec("simulator", env=sim, has_health=False), *services]


async def _follow(stack: Stack, samples: list[Sample]) -> None:
    """Run as many processes as the Deployments ask for, until all work is done."""
    started, worked = time.monotonic(), False
    scaling: dict[str, asyncio.Task[None]] = {}
    single_active = {service.name for service in SERVICES if service.single_active}
    while (now := time.monotonic() - started) < LONGEST_S:
        wanted = await _replicas()
        for name, replicas in wanted.items():
            if replicas != stack.replicas(name) and (name not in scaling or scaling[name].done()):
                scaling[name] = asyncio.create_task(stack.scale(name, replicas, SLOWLY_S))
        waiting = dict.fromkeys(wanted, 0)
        for (group, _), lag in (await lags(KafkaAccess(stack.bootstrap), "chimera")).items():
            if (name := group.removeprefix("chimera.")) in waiting:
                waiting[name] += lag
        samples += [Sample(now, name, waiting[name], wanted[name]) for name in wanted]
        reported = ", ".join(
            f"{name} {waiting[name]}/{wanted[name]}" for name in wanted if waiting[name] or wanted[name]
        )
        print(f"{now:5.0f} s  lag/replicas: {reported}", flush=True)  # noqa: T201
        active = [name for name in wanted if name not in single_active and (wanted[name] or waiting[name])]
        worked = worked or len(active) > len(AT_ONCE)
        if worked and not active:
            break
        await asyncio.sleep(EVERY_S)
    await asyncio.gather(*scaling.values())


async def _replicas() -> dict[str, int]:
    """Return the replicas of each service's Deployment."""
    message = json.loads(await _run("kubectl", "--namespace", NAMESPACE, "get", "deployments", "--output=json"))
    found = {one["metadata"]["name"]: int(one["spec"]["replicas"]) for one in message["items"]}
    return {service.name: found[f"{RELEASE}-{service.name.replace('_', '-')}"] for service in SERVICES}


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}")
    return output.decode()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
