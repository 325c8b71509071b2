"""Loads models and tokenizers; the arguments that every training shares."""

import shutil
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from shared.errors import Refusal
from trainer.run.run_folder import log_line

LAST_CHECKPOINT_FILE = "trainer_state.json"
"""The file that transformers writes last into a checkpoint."""


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """Load a tokenizer. Raises Refusal for an unknown model."""
    try:
        return AutoTokenizer.from_pretrained(name, revision=revision, padding_side="left")
    except (OSError, ValueError) as error:
        raise _unknown_model(name, error) from error


def load_model(name: str, revision: str | None = None) -> PreTrainedModel:
    """Load weights in float32: updates as small as 1e-6 vanish in bfloat16. A GPU still computes in bfloat16 (`bf16`).

    Raises Refusal for an unknown model.
    """
    try:
        return AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise _unknown_model(name, error) from error


def load_for_sampling(name: str) -> PreTrainedModel:
    """Load a model for sampling: in bfloat16 on the GPU if there is one."""
    if not torch.cuda.is_available():
        return load_model(name)
    return load_model(name).to(device="cuda", dtype=torch.bfloat16)


def _unknown_model(name: str, error: Exception) -> Refusal:
    first = str(error).splitlines()[0]
    return Refusal(f"the model {name!r} cannot be loaded: {first}", "Correct `base` in the recipe, or its files")


def common_arguments(folder: Path, seed: int, batch: int, per_device: int) -> dict[str, Any]:
    """Return the arguments of any training. Raises Refusal when the batch is not divisible by devices and rows."""
    gpu = torch.cuda.is_available()
    devices = PartialState().num_processes
    if batch % (per_device * devices):
        raise Refusal(
            f"a batch of {batch} is not divisible by {devices} devices × {per_device} per_device", "Change per_device"
        )
    return {
        "output_dir": str(folder),
        "seed": seed,
        "per_device_train_batch_size": per_device,
        "gradient_accumulation_steps": batch // (per_device * devices),
        "save_strategy": "steps",
        "save_total_limit": 2,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "tensorboard",
        "use_cpu": not gpu,
        "bf16": gpu,
        "activation_checkpointing": gpu,
        "disable_tqdm": True,  # `StopCallback` logs the progress
    }


def find_last_checkpoint(folder: Path) -> str | None:
    """Return the last complete checkpoint, None if there is none. Removes incomplete ones."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for path in found:
        if not (path / LAST_CHECKPOINT_FILE).exists():
            shutil.rmtree(path)
    complete = [path for path in found if path.exists()]
    if not complete:
        return None
    log_line(f"resumes at step {complete[-1].name.rpartition('-')[2]}")
    return str(complete[-1])
