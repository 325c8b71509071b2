"""What `.env` alone can change: a Kafka and a Valkey of one's own, images by digest.  python -m tests.ops.compose"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OWN = {"CHIMERA_KAFKA": "kafka.example.org:9093", "CHIMERA_VALKEY": "rediss://valkey.example.org:6380/0"}
PROFILES = ("core", "gpu", "adjudicator", "training", "console", "observability")
REGISTRY = f"#!/bin/sh\necho sha256:{'0' * 64}\n"
"""A registry client for which each image has this digest."""


def services(variables: dict[str, str], *profiles: str) -> dict[str, dict[str, Any]]:
    """Return the services that Compose would start with a file `.env`."""
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.write("".join(f"{name}={value}\n" for name, value in variables.items()))
        file.flush()
        program = Path(sys.executable).parent / "docker-compose"
        chosen = [option for profile in profiles for option in ("--profile", profile)]
        command = [str(program), "--env-file", file.name, *chosen, "config"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, Any]] = yaml.safe_load(done.stdout)["services"]
    return found


def not_own() -> Iterator[str]:
    """Yield what is wrong with a Kafka and a Valkey of one's own."""
    usual, own = services({}, "core"), services({**OWN, "OWN_KAFKA": "none", "OWN_VALKEY": "none"}, "core")
    yield from (f"{name} starts with a file `.env` that names another" for name in ("kafka", "valkey") if name in own)
    yield from (f"{name} does not start" for name in ("kafka", "valkey") if name not in usual)
    if not OWN.items() <= own["planner"]["environment"].items():
        yield f"the planner has {own['planner']['environment']}"


def not_pinned() -> Iterator[str]:
    """Yield public images that the lines of `deploy/compose/pin` leave without a digest."""
    with tempfile.TemporaryDirectory() as folder:
        client = Path(folder, "crane")
        client.write_text(REGISTRY)
        client.chmod(0o700)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}  # noqa: TID251
        pin = [str(ROOT / "deploy/compose/pin")]
        lines = subprocess.run(pin, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    for name, service in services(dict(line.split("=", 1) for line in lines), *PROFILES).items():
        bases = {key: value for key, value in service.get("build", {}).get("args", {}).items() if key.endswith("IMAGE")}
        for image in bases.values() if "build" in service else [service["image"]]:
            if not re.search("@sha256:0{64}$", image):
                yield f"{name}: {image} has no digest"


def main() -> int:
    """Print what is wrong; return the exit status."""
    wrong = [*not_own(), *not_pinned()]
    print("\n".join(wrong), file=sys.stderr)  # noqa: T201
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
