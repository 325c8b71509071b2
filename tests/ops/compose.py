"""A Kafka and a Valkey of one's own by `.env` alone:  python -m tests.ops.compose"""

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
OWN = {"CHIMERA_KAFKA": "kafka.example.org:9093", "CHIMERA_VALKEY": "rediss://valkey.example.org:6380/0"}


def services(variables: dict[str, str]) -> dict[str, dict[str, object]]:
    """Return the services that Compose would start with a file `.env`."""
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.write("".join(f"{name}={value}\n" for name, value in variables.items()))
        file.flush()
        program = Path(sys.executable).parent / "docker-compose"
        command = [str(program), "--env-file", file.name, "--profile", "core", "config"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, object]] = yaml.safe_load(done.stdout)["services"]
    return found


def main() -> int:
    """Print what is wrong; return the exit status."""
    usual, own = services({}), services({**OWN, "OWN_KAFKA": "none", "OWN_VALKEY": "none"})
    wrong = [f"{name} starts with a file `.env` that names another" for name in ("kafka", "valkey") if name in own]
    wrong += [f"{name} does not start" for name in ("kafka", "valkey") if name not in usual]
    environment = own["planner"]["environment"]
    if not isinstance(environment, dict) or not OWN.items() <= environment.items():
        wrong.append(f"the planner has {environment}")
    print("\n".join(wrong), file=sys.stderr)  # noqa: T201
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
