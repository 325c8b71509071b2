"""Writes the progress of a training after each logged step."""

from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainer.run.progress import set_phase


class ProgressCallback(TrainerCallback):
    """Expects that the output folder is the phase's folder in the run folder."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        folder = Path(args.output_dir)
        known = {name: float(logs[name]) for name in ("loss", "reward") if name in logs}
        tokens = float(logs["num_tokens"]) if "num_tokens" in logs else None
        set_phase(folder.parent, folder.name, step=state.global_step, steps=state.max_steps, tokens=tokens, **known)
