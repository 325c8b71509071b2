"""Runs a small factory with a real Prometheus, and checks that every panel and rule has data.

    python -m tests.ops.queries

The simulated models have prices and fail sometimes, so that money, retries and errors have data.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import yaml

from deploy.grafana.boards import BOARDS
from deploy.local.ports import LOOPBACK
from tests.ops.prometheus_sidecar import HERE, ROOT, Missing, alongside, answering

FOREIGN = re.compile(r'^(node_|kube|disk:|up\{.*job="node")')
"""Metrics of exporters that a local stack does not have."""
EVERY_S, PAUSE_S, PATIENCE_S = 2, 10, 180
FAULTS = {"*": {"rates": {"500": 0.02}}}
PORT, TRAINER_PORT = 29_871, 29_872


def panels() -> Iterator[tuple[str, str]]:
    """Yield every query of the dashboards in plain PromQL, by panel."""
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries:
                expr = query.expr.replace("$__rate_interval", "1m").replace("$__range", "5m")
                yield f"{board.title} / {panel.title}", expr


def rules() -> Iterator[tuple[str, str]]:
    """Yield every rule's expression by its name."""
    for file in sorted((HERE / "rules").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]


async def tried(url: str) -> list[str]:
    """Return queries without data. An alert should be silent, so of rules each selector is queried."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        empty = [f"{panel}: {expr}" for panel, expr in panels() if not await _brings(client, expr)]
        requested = sorted({one for _, expr in rules() for one in selectors(expr) if not FOREIGN.match(one)})
        return empty + [f"rules: {one}" for one in requested if not await _brings(client, one)]


def metrics(expr: str) -> set[str]:
    """Return the metric names in a PromQL expression."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|on|ignoring|group_left) \([^)]*\)', " ", expr)
    return {name for name in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare) if set(name) & {*"_:"} or name == "up"} - {
        "histogram_quantile",
        "label_replace",
        "max_over_time",
        "predict_linear",
        "sort_desc",
    }


def selectors(expr: str) -> set[str]:
    """Return metrics with their matchers in a PromQL expression, one for each word of `a|b`."""
    bare = re.sub(r"\b(?:by|on|ignoring|group_left) \([^)]*\)", " ", expr)
    found = {f"{name}{matchers}" for name, matchers in re.findall(r"([a-z0-9_:]+)(\{[^}]*\})", bare)}
    worded = [(one, re.search(r'=~"(\w+(?:\|\w+)+)"', one)) for one in found]
    apart = {one.replace(words[0], f'="{word}"') for one, words in worded if words for word in words[1].split("|")}
    return metrics(bare) | {one for one, words in worded if not words} | apart


async def _brings(client: httpx.AsyncClient, expr: str) -> bool:
    now = time.time()
    span: dict[str, str | float] = {"query": expr, "start": now - 300, "end": now, "step": EVERY_S}
    answer = (await client.get("/api/v1/query_range", params=span)).json()
    if answer["status"] != "success":
        raise SystemExit(f"{expr}: {answer['error']}")
    series = answer["data"]["result"]
    return any(value != "NaN" for one in series for _, value in one["values"])


def order(home: Path) -> list[str]:
    """Write plan and models; return the command that starts the factory."""
    plan = yaml.safe_load((ROOT / "services/planner/plans/demo.yaml").read_text())
    plan |= {"rows": 200, "budget": {"tokens": 10**9, "dollars": 1000}}
    (home / "plan.yaml").write_text(yaml.safe_dump(plan))
    price = {"input": 1.0, "output": 2.0}
    names = ("writer", "verifier_a", "verifier_b", "solver", "judge")
    roles = {
        role: {"endpoint": "simulator", "model": f"sim-{role.replace('_', '-')}", "price": price} for role in names
    }
    place = {"base_url": f"http://127.0.0.1:{PORT}/v1", "simulated": True}
    (home / "models.json").write_text(json.dumps({"endpoints": {"simulator": place}, "roles": roles}))
    return [*_CHIMERA, "up", "--plan", f"{home / 'plan.yaml'}", "--models", f"{home / 'models.json'}"]


_CHIMERA = [sys.executable, "-m", "services.cli"]
_TRAINING = [sys.executable, "-m", "tests.ops.training_metrics"]


def main(home: Path) -> int:
    """Start a factory, query it, stop it."""
    stack = home / "stack"
    settings = {"CHIMERA_SIM_PORT": str(PORT), "CHIMERA_SIM_FAULTS": json.dumps(FAULTS)}
    environment = {**os.environ, **settings}  # noqa: TID251 - a child starts from ours
    with subprocess.Popen([sys.executable, "-m", "services.simulator"], cwd=ROOT, env=environment) as simulator:
        try:
            asyncio.run(answering(f"http://{LOOPBACK}:{PORT}/v1/models"))
            subprocess.run([*order(home), "--dir", str(stack)], cwd=ROOT, check=True)
            with subprocess.Popen([*_TRAINING, str(home), str(TRAINER_PORT)], cwd=ROOT) as trainer:
                try:
                    empty = asyncio.run(requested(stack))
                finally:
                    trainer.terminate()
        finally:
            subprocess.run([*_CHIMERA, "down", "--dir", str(stack)], cwd=ROOT, check=False)
            simulator.terminate()
    summary = f"{len([*panels()])} queries of panels and the metrics of {len([*rules()])} rules were checked"
    print("\n".join([*(f"no data  {one}" for one in empty), summary]))  # noqa: T201
    return 1 if empty else 0


async def requested(stack: Path) -> list[str]:
    """Query until everything has data or the time limit is reached. Return what has none."""
    async with alongside(stack, EVERY_S, f"{LOOPBACK}:{TRAINER_PORT}") as url:
        until = time.monotonic() + PATIENCE_S
        while (empty := await tried(url)) and time.monotonic() < until:  # noqa: ASYNC110 - another process: no event to wait for
            await asyncio.sleep(PAUSE_S)
        return empty


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="chimera-tried-") as folder:
        try:
            sys.exit(main(Path(folder)))
        except Missing as missing:
            sys.exit(f"queries: {missing}")
