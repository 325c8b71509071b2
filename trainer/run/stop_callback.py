"""Logs a training with the seconds of each step, and stops it with a checkpoint.

SIGTERM and SIGINT stop it after the current step, with a checkpoint; a loss or gradient that is not finite stops it
immediately.
"""

import math
import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from shared.errors import Refusal
from trainer.run.log import log_line
from trainer.run.progress_callback import ProgressCallback
from trainer.run.run_folder import distributed_state, in_any_process

LOG_INTERVAL_S = 10.0
"""Seconds between two log lines."""
TRUNCATED = "completions/clipped_ratio"
"""TRL's name of the fraction of rollouts that the token limit stopped."""
IMPORTANCE_RATIO = "sampling/importance_sampling_ratio/mean"
"""TRL's name of the mean ratio of trainer to vLLM probabilities, after truncation or masking: 1 when they agree."""
LOGGED = {
    "loss": "loss",
    "reward": "reward",
    "unsure": "unsure",
    TRUNCATED: "truncated",
    IMPORTANCE_RATIO: "importance ratio",
}
"""Values in a log line, with their names there."""
SECONDS = "seconds"
"""Key of a step's seconds in the log of a training, which is part of every checkpoint and survives a kill."""


class Stopped(Exception):
    """Stopped by a signal, after a checkpoint was written."""


class StopCallback(TrainerCallback):
    """Logs one training and stops it."""

    def __init__(self, phase: str) -> None:
        self.phase, self.stopping = phase, False
        self._step_began = self._logged_at = time.monotonic()
        self._step_s = 0.0
        self._previous_handlers = {
            number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.stopping = True
        signal.signal(number, self._previous_handlers[signal.Signals(number)])  # a second signal kills

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step_began = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step_s = time.monotonic() - self._step_began
        self.stopping = in_any_process(self.stopping)  # all stop after the same step
        control.should_save |= self.stopping
        control.should_training_stop |= self.stopping

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        if self.stopping and state.global_step < state.max_steps:
            distributed_state().wait_for_everyone()  # until the main process has written the checkpoint
            raise Stopped(f"stopped at step {state.global_step} of {state.max_steps}")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        for name in ("loss", "grad_norm"):
            if name in logs and not math.isfinite(float(logs[name])):
                raise Refusal(
                    f"{name} is {logs[name]} at step {state.global_step}",
                    f"Lower the learning rate, or resume at the last checkpoint in {args.output_dir}",
                )
        if "loss" in logs:
            state.log_history[-1][SECONDS] = self._step_s
            self._log(state, logs)

    def _log(self, state: TrainerState, logs: dict[str, float]) -> None:
        step, steps, now = state.global_step, state.max_steps, time.monotonic()
        if now - self._logged_at < LOG_INTERVAL_S and step < steps:
            return
        self._logged_at = now
        values = "".join(f"{LOGGED[name]} {float(logs[name]):.3f}, " for name in LOGGED if name in logs)
        left_s = (steps - step) * total_seconds(state.log_history) / step
        log_line(f"{self.phase}: step {step} of {steps}, {values}{_format_time(left_s)} left")


def attach(trainer: Trainer, phase: str) -> None:
    """Attach the callbacks to a trainer, in place of transformers' printing."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(StopCallback(phase))
    trainer.add_callback(ProgressCallback())


def total_seconds(history: Sequence[dict[str, Any]]) -> float:
    """Return the seconds of all steps, including those before a kill."""
    return float(sum(entry.get(SECONDS, 0.0) for entry in history))


def total_tokens(history: Sequence[dict[str, Any]]) -> int:
    """Return the tokens of all steps. TRL counts from 0 again when a training resumes."""
    counts = [float(entry["num_tokens"]) for entry in history if "num_tokens" in entry]
    before = [0.0, *counts]
    return round(sum(now - then if now >= then else now for then, now in zip(before, counts, strict=False)))


def _format_time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
