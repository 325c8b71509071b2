"""`make check-ops`: runs every validator of the deployment. A missing program is a failure, never a skip.

python -m tests.ops.check
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
MADE_BY = {
    "promtool": "Debian package prometheus",
    "amtool": "Debian package prometheus-alertmanager",
    "docker-compose": "requirements/ops.txt",
    "hadolint": "requirements/ops.txt",
}
RULES, PROMETHEUS = "deploy/prometheus/rules/chimera.yaml", "deploy/prometheus/prometheus.yml"
ALERTMANAGER = "deploy/alertmanager/alertmanager.yml"


def checks() -> Iterator[list[str]]:
    """Return every command."""
    yield ["promtool", "check", "rules", RULES]
    yield ["promtool", "check", "config", "--syntax-only", PROMETHEUS]
    yield ["promtool", "test", "rules", "tests/ops/alert_tests.yaml"]
    yield ["amtool", "check-config", ALERTMANAGER]
    for case in yaml.safe_load((ROOT / "tests/ops/alert_routes.yaml").read_text()):
        labels = [f"{name}={value}" for name, value in case["labels"].items()]
        reported = f"--verify.receivers={case['receiver']}"
        yield ["amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", reported, *labels]
    yield [sys.executable, "-m", "deploy.grafana.build", "--check"]
    for profile in ("observability", "gpu", "training"):
        yield ["docker-compose", "--profile", "core", "--profile", profile, "config", "--quiet"]
    yield [sys.executable, "-m", "tests.ops.compose"]
    yield [sys.executable, "-m", "tests.ops.chart.check"]
    yield [sys.executable, "-m", "tests.ops.chart.policy"]
    yield ["hadolint", "deploy/docker/Dockerfile", "deploy/docker/Dockerfile.trainer"]


def failures() -> Iterator[str]:
    """Run them; yield failures."""
    for command in checks():
        program = command[0]
        path = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
        if path is None:
            yield f"{program} was not found. Next step: install it ({MADE_BY[program]})"
            continue
        run = [path, *command[1:]]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
        good = done.returncode == 0
        print(f"{'ok  ' if good else 'FAIL'}  {' '.join([Path(program).name, *command[1:]])}")  # noqa: T201
        if not good:
            yield f"{done.stdout}{done.stderr}".strip()


if __name__ == "__main__":
    wrong = list(failures())
    sys.exit("\n".join(wrong) if wrong else 0)
