"""What a training tells while it runs, and what ends it: every few seconds a line, at every step how long it took.

Stops after the step that is under way, with a checkpoint, on SIGTERM or SIGINT; at once on a loss of NaN.
"""

import math
import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from shared.errors import Refusal
from trainer.run.progress_callback import ProgressCallback
from trainer.run.run_folder import log_line

EVERY_S = 10.0
"""Between two lines."""
SECONDS = "seconds"
"""Of a step, in the log of a training; it is part of every checkpoint, so that a kill does not lose it."""


class Stopped(Exception):
    """Told to stop: a checkpoint was written, nothing is lost."""


class StopCallback(TrainerCallback):
    """Watches one training."""

    def __init__(self, phase: str) -> None:
        self.phase, self.stopping = phase, False
        self._step_began = self._told = time.monotonic()
        self._took = 0.0
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.stopping = True
        signal.signal(number, self._before[signal.Signals(number)])  # the second time ends it

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step_began = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._took = time.monotonic() - self._step_began
        control.should_save |= self.stopping
        control.should_training_stop |= self.stopping

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.stopping and state.global_step < state.max_steps:
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
                    f"Lower the learning rate, or go on from the last checkpoint in {args.output_dir}",
                )
        if "loss" in logs:
            state.log_history[-1][SECONDS] = self._took
            self._log(state, logs)

    def _log(self, state: TrainerState, logs: dict[str, float]) -> None:
        at, of, now = state.global_step, state.max_steps, time.monotonic()
        if now - self._told < EVERY_S and at < of:
            return
        self._told = now
        told = {name: logs.get(name) for name in ("loss", "reward", "unsure")}
        values = "".join(f"{name} {float(value):.3f}, " for name, value in told.items() if value is not None)
        left = (of - at) * seconds(state.log_history) / at
        log_line(f"{self.phase}: step {at} of {of}, {values}{_time(left)} left")


def attach(trainer: Trainer, phase: str) -> None:
    """Watch a training, instead of what transformers would print, and tell the service how far it is."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(StopCallback(phase))
    trainer.add_callback(ProgressCallback())


def seconds(history: Sequence[dict[str, Any]]) -> float:
    """What all steps took, those before a kill included."""
    return float(sum(line.get(SECONDS, 0.0) for line in history))


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
