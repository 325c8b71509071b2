"""Starts a phase in several processes by `accelerate launch` on this machine; its GPUs share the weights (FSDP 2).

    sft, rl, control of a run with N processes ─► accelerate launch ─► N × python -m trainer.PHASE

Signals go to the processes themselves: torch's launcher would kill them 30 seconds later, which is too early for a
checkpoint.
"""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import torch
import yaml

from shared.errors import Refusal
from shared.parent_death import die_with_parent
from trainer.recipe import Recipe
from trainer.run.exit_status import INTERRUPTED, KILLED
from trainer.run.log import log_line
from trainer.run.run_folder import Run

PHASES = ("sft", "rl", "control")
"""Phases that may run in several processes."""
TEMPLATE = Path(__file__).parents[1] / "configs" / "accelerate" / "fsdp_8.yaml"


def needs_launcher(recipe: Recipe, phase: str) -> bool:
    """Return whether the phase runs in several processes, and this is not one of them."""
    return phase in PHASES and not torch.distributed.is_torchelastic_launched() and count_processes(recipe) > 1


def count_processes(recipe: Recipe) -> int:
    """Return the processes of SFT and RL. Raises Refusal when there are not enough GPUs."""
    gpus = int(torch.cuda.device_count())
    processes = recipe.processes or max(1, gpus)
    if 0 < gpus < processes:
        raise Refusal(f"processes: {processes}, and there are {gpus} visible GPUs", "Lower it in the recipe")
    return processes


def launch(run: Run, module: str, phase: str, arguments: Sequence[str]) -> int:
    """Run a module in several processes and return the exit status of the phase."""
    file, failure = run.path(f"accelerate-{phase}.yaml"), run.path("failure.json")
    run.folder.mkdir(parents=True, exist_ok=True)
    config = build_config(run.recipe, phase)
    file.write_text(yaml.safe_dump(config))
    failure.unlink(missing_ok=True)
    log_line(f"{phase}: {config['num_processes']} processes, by accelerate launch --config_file {file}")
    command = ["-m", "accelerate.commands.launch", "--config_file", str(file), "-m", module, *arguments]
    launcher = subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, *command], start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM)
    )
    with _signals_to_workers(launcher) as received:
        status = launcher.wait()
    if status == 0:
        return 0
    if received:
        return INTERRUPTED
    return 1 if failure.exists() else KILLED


def build_config(recipe: Recipe, phase: str) -> dict[str, Any]:
    """Return accelerate's configuration for a phase."""
    config: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text())
    gpu, parallel, processes = torch.cuda.is_available(), recipe.sft.context_parallel, count_processes(recipe)
    config |= {"num_processes": processes, "use_cpu": not gpu, "mixed_precision": "bf16" if gpu else "no"}
    config["main_process_port"] = find_free_port()
    if phase != "rl" and parallel > 1:
        if processes % parallel:
            raise Refusal(f"sft.context_parallel: {parallel} does not divide {processes} processes", "Change it")
        sizes = {"cp_size": parallel, "dp_shard_size": processes // parallel, "cp_comm_strategy": "alltoall"}
        config["parallelism_config"] = {f"parallelism_config_{name}": value for name, value in sizes.items()}
    return config


def find_free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def _signals_to_workers(launcher: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Send SIGTERM and SIGINT to the processes of the phase; yield the signals received."""
    received: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        received.append(number)
        with contextlib.suppress(psutil.NoSuchProcess):
            for worker in psutil.Process(launcher.pid).children():
                worker.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
