"""Models and tokenizers, and what every training by transformers has in common."""

import shutil
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from shared.errors import Refusal
from trainer.run.run_folder import log_line

COMPLETE = "trainer_state.json"
"""What transformers writes last into a checkpoint."""


def tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """Raises Refusal for an unknown model."""
    try:
        return AutoTokenizer.from_pretrained(name, revision=revision, padding_side="left")
    except (OSError, ValueError) as error:
        raise _unknown(name, error) from error


def model(name: str, revision: str | None = None) -> PreTrainedModel:
    """Weights in float32: steps as small as 1e-6 vanish in bfloat16, in which a GPU computes all the same (`bf16`).

    Raises Refusal for an unknown model.
    """
    try:
        return AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise _unknown(name, error) from error


def on_device(name: str) -> PreTrainedModel:
    """A model to ask: on the GPU, in bfloat16, where there is one."""
    if not torch.cuda.is_available():
        return model(name)
    return model(name).to(device="cuda", dtype=torch.bfloat16)


def _unknown(name: str, error: Exception) -> Refusal:
    first = str(error).splitlines()[0]
    return Refusal(f"the model {name!r} cannot be loaded: {first}", "Correct `base` in the recipe, or its files")


def common(folder: Path, seed: int, batch: int, per_device: int) -> dict[str, Any]:
    """Settings of any training. Raises Refusal when the batch cannot be divided so."""
    gpu = torch.cuda.is_available()
    devices = PartialState().num_processes
    if batch % (per_device * devices):
        raise Refusal(f"a batch of {batch} is not whole on {devices} devices of {per_device}", "Change per_device")
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
        "disable_tqdm": True,  # `Watch` tells how far it is
    }


def last_checkpoint(folder: Path) -> str | None:
    """The last complete checkpoint; what was cut off while it was written is removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for path in found:
        if not (path / COMPLETE).exists():
            shutil.rmtree(path)
    whole = [path for path in found if path.exists()]
    if not whole:
        return None
    log_line(f"resumes at step {whole[-1].name.rpartition('-')[2]}")
    return str(whole[-1])
