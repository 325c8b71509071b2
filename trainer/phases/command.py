"""The command line of a phase. A failure prints one reason, keeps the checkpoint and exits with status 1."""

import errno
import gc
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import datasets
import httpx2
import torch
import transformers
from huggingface_hub.errors import LocalTokenNotFoundError
from safetensors import SafetensorError

from shared.errors import Refusal, Transient
from trainer.phases.options import parse
from trainer.recipe import load_recipe
from trainer.run import launcher
from trainer.run.dry_run import show
from trainer.run.exit_status import INTERRUPTED
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run, distributed_state, lock_folder, write_json
from trainer.run.stop_callback import Stopped

OUT_OF_MEMORY = "Lower max_length or per_device, use adapters (sft.lora_rank), or more devices"

DISK_FULL = "the disk is full: {}. Make room and run it again: it resumes at the last checkpoint"
DISK_FULL_MESSAGES = ("No space left on device", "inline_container.cc")
"""Messages of safetensors and torch.save, which do not raise OSError for a full disk."""


def main(phase: str, work: Callable[[Run], PhaseResult], arguments: Sequence[str] | None = None) -> None:
    """Run one phase and exit. Under `accelerate launch` every process calls this."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    run, state = parse_run(phase, given), distributed_state()
    if state.num_processes > 1 and phase not in launcher.PHASES:
        log_line(f"{phase}: runs in one process only. Start it with python -m trainer.{phase}")
        sys.exit(1)
    sys.exit(start_phase(run, phase, work, given))


def start_phase(run: Run, phase: str, work: Callable[[Run], PhaseResult], arguments: Sequence[str]) -> int:
    """Run a phase here, or in the processes that the recipe wants; return the exit status."""
    try:
        if launcher.needs_launcher(run.recipe, phase):
            return 0 if run.result(phase) else launcher.launch(run, f"trainer.{phase}", phase, arguments)
    except Refusal as refusal:
        log_line(str(refusal))
        return 1
    state = distributed_state()
    with lock_folder(run.folder) if state.is_main_process else nullcontext():
        state.wait_for_everyone()  # until the main process holds the lock
        return run_phase(run, phase, work)


def parse_run(phase: str, arguments: Sequence[str] | None = None) -> Run:
    """Parse the command line. `--dry-run` prints the forecast and exits."""
    options = parse(phase, arguments)
    try:
        run = Run(
            options.run, load_recipe(options.config), options.dataset, options.version, options.models, options.served
        )
        if options.dry_run:
            sys.exit(show(run, options.device, options.devices, options.price, options.json))
    except Refusal as refusal:
        log_line(str(refusal))
        sys.exit(1)
    exit_on_signals()
    return run


def exit_on_signals() -> None:
    """Exit on SIGTERM and SIGINT, which process 1 of a container ignores by default. A training overrides this."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(*_: object) -> None:
    log_line("stopped. Run the same command again to resume")
    sys.exit(INTERRUPTED)


def run_phase(run: Run, phase: str, work: Callable[[Run], PhaseResult]) -> int:
    """Run a phase and return the exit status. A failure is reported on stderr and in failure.json."""
    failure = run.path("failure.json")
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    try:
        run.run_once(phase, work)
    except Stopped as stopped:
        log_line(f"{phase}: {stopped}. Run the same command again to resume")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - every failure is reported
        if (reason := explain_failure(error)) is None:
            traceback.print_exc()
            reason = f"a bug: {type(error).__name__}: {error}"
        log_line(f"{phase}: failed. {reason}")
        write_json(failure, {"phase": phase, "reason": reason})
        return 1
    failure.unlink(missing_ok=True)
    _free_memory()
    return 0


def _free_memory() -> None:
    """Free GPU memory: a trainer is a reference cycle that holds weights and optimiser states."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def explain_failure(error: BaseException) -> str | None:
    """Return one line for a failure with a known cause; None for a bug."""
    match error:
        case Refusal() | Transient():
            return str(error)
        case torch.OutOfMemoryError() | MemoryError():
            return f"out of memory: {str(error).splitlines()[0] if str(error) else 'no details'}. {OUT_OF_MEMORY}"
        case OSError(errno=errno.ENOSPC):
            return DISK_FULL.format(error)
        case httpx2.HTTPError() | LocalTokenNotFoundError():
            return (
                f"the model hub: {str(error).splitlines()[0]}. Check hub_model_id and the token, or remove push_to_hub"
            )
        case SafetensorError() | RuntimeError() if any(sign in str(error) for sign in DISK_FULL_MESSAGES):
            return DISK_FULL.format(error)
        case _:
            return None
