"""Every service killed once, at random moments of a run: the same holds as if nothing had happened."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from deploy.local.state_file import ProcessId, StateFile
from schemas.flow import SERVICE
from services.cli.common import run_config
from services.cli.common.options import plan_file
from shared.config.settings import Settings
from tests.e2e.checks import check_everything, repeated_calls
from tests.e2e.factory import chimera, remains

ROWS = 96
SEED = 11
LONGEST_PAUSE_S = 1.0
QUICK = {"CHIMERA_SESSION_S": "8", "CHIMERA_LEASE_S": "4"}
"""How long the work of the killed waits, in seconds."""
CALLERS = {"expansion", "problem_writer", "verifier-a", "verifier-b", "synthesis"}
"""Services that the demo plan makes call a model. An event has one call in flight; what was answered is on record."""


async def test_killing_every_service_once_loses_and_duplicates_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "stack"
    with chimera(directory, "--rows", str(ROWS), "--seed", str(SEED), **QUICK) as process:
        killed = kill_each_service_once(directory, process, random.Random(SEED))
        out, progress = process.communicate(timeout=300)
    assert process.returncode == 0, out + progress
    assert killed == set(SERVICE)
    found = await remains(directory)
    check_everything(found, run_config.load(plan_file(None), ROWS), SEED)
    in_flight = Settings.model_fields["in_flight"].default
    assert repeated_calls(found) <= len(CALLERS) * in_flight


def kill_each_service_once(directory: Path, process: subprocess.Popen[str], dice: random.Random) -> set[str]:
    """Once every service has been seen to run, kill them one by one. Returns those that were running when killed."""
    ids: dict[str, ProcessId] = {}
    while ids.keys() < SERVICE.keys():
        assert process.poll() is None, "the run ended before it began"
        time.sleep(0.1)
        ids = {running.name: running.id for running in StateFile.read(directory).processes if running.name in SERVICE}
    calls = directory.parent / "calls.jsonl"
    while not calls.exists() or calls.stat().st_size == 0:
        time.sleep(0.1)
    killed = set()
    for name in dice.sample(sorted(SERVICE), k=len(SERVICE)):
        time.sleep(dice.uniform(0, LONGEST_PAUSE_S))
        if ids[name].alive() and process.poll() is None:
            os.kill(ids[name].pid, signal.SIGKILL)
            killed.add(name)
    return killed
