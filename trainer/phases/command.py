"""The command line of a phase, and what its failures look like: one reason, the checkpoint kept, exit status 1."""

import argparse
import errno
import gc
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import datasets
import torch
import transformers
from safetensors import SafetensorError

from shared.errors import Refusal, Transient
from trainer.recipe import load
from trainer.run.costs import DEVICES
from trainer.run.dry_run import show
from trainer.run.run_folder import Found, Run, locked, log_line, processes, write
from trainer.run.stop_callback import Stopped

INTERRUPTED = 130
TRAIN_ON_MANY = ("sft", "rl", "control")
"""Phases that `accelerate launch` may spread over processes."""
OUT_OF_MEMORY = "Lower max_length or per_device, use adapters (sft.lora_rank), or more devices"

FULL = "the disk is full: {}. Make room and run it again: it goes on from the last checkpoint"
SIGNS_OF_A_FULL_DISK = ("No space left on device", "inline_container.cc")
"""What safetensors and torch.save say instead of raising OSError."""


def main(phase: str, work: Callable[[Run], Found], arguments: Sequence[str] | None = None) -> None:
    """Run one phase as its command line says, and exit. Under `accelerate launch` every process comes here."""
    run, many = parse_run(phase, arguments), processes()
    if many.num_processes > 1 and phase not in TRAIN_ON_MANY:
        log_line(f"{phase}: is no training, and runs in one process. Start it with python -m trainer.{phase}")
        sys.exit(1)
    with locked(run.folder) if many.is_main_process else nullcontext():
        many.wait_for_everyone()  # for the lock, too
        sys.exit(run_phase(run, phase, work))


def parse_run(phase: str, arguments: Sequence[str] | None = None) -> Run:
    """The run that a command line means."""
    parser = argparse.ArgumentParser(prog=f"python -m trainer.{phase}")
    parser.add_argument("--config", type=Path, required=True, help="the recipe, such as trainer/configs/paper.yaml")
    parser.add_argument("--dataset", required=True, help="the curated dataset: a folder, or its address on a store")
    parser.add_argument("--version", type=int, help="version of its rows table; by default as it is now")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run; go on with it by naming it again")
    parser.add_argument("--models", type=Path, help="models file with a judge for answers that no rule can compare")
    parser.add_argument("--served", type=Path, help="file that says which model is evaluated behind which endpoint")
    parser.add_argument("--dry-run", action="store_true", help="say what the whole run would take, and do nothing")
    parser.add_argument("--device", choices=DEVICES, default="h100", help="of --dry-run")
    parser.add_argument("--devices", type=int, default=1, help="of --dry-run: how many, sharded by FSDP in training")
    parser.add_argument("--json", action="store_true", help="print what --dry-run found as one JSON document")
    given = parser.parse_args(arguments)
    try:
        run = Run(given.run, load(given.config), given.dataset, given.version, given.models, given.served)
        if given.dry_run:
            show(run, given.device, given.devices, given.json)
            sys.exit(0)
    except Refusal as refusal:
        log_line(str(refusal))
        sys.exit(1)
    exit_on_signals()
    return run


def exit_on_signals() -> None:
    """End on SIGTERM and SIGINT, as the first process of a container does not by itself. A training writes first."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(*_: object) -> None:
    log_line("stopped. Run the same again to go on")
    sys.exit(INTERRUPTED)


def run_phase(run: Run, phase: str, work: Callable[[Run], Found]) -> int:
    """Do a phase; on failure say why, on the terminal and in failure.json. Returns the exit status."""
    failure = run.path("failure.json")
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    try:
        run.run_once(phase, work)
    except Stopped as stopped:
        log_line(f"{phase}: {stopped}. Run the same again to go on")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        if (reason := known_reason(error)) is None:
            traceback.print_exc()
            reason = f"a bug: {type(error).__name__}: {error}"
        log_line(f"{phase}: failed. {reason}")
        write(failure, {"phase": phase, "reason": reason})
        return 1
    failure.unlink(missing_ok=True)
    _free()
    return 0


def _free() -> None:
    """Give the GPU back what the phase held: a trainer is a ring of references, with weights and moments in it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def known_reason(error: BaseException) -> str | None:
    """A failure that is none of ours, in a line; None: a bug."""
    match error:
        case Refusal() | Transient():
            return str(error)
        case torch.OutOfMemoryError() | MemoryError():
            return f"out of memory: {str(error).splitlines()[0] if str(error) else 'no more'}. {OUT_OF_MEMORY}"
        case OSError(errno=errno.ENOSPC):
            return FULL.format(error)
        case SafetensorError() | RuntimeError() if any(sign in str(error) for sign in SIGNS_OF_A_FULL_DISK):
            return FULL.format(error)
        case _:
            return None
