"""Loads models and tokenizers; the arguments that every training shares."""

import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from accelerate import PartialState
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase, Trainer
from transformers.integrations import get_available_reporting_integrations

from shared.errors import Refusal
from trainer.run.log import log_line

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
LAST_CHECKPOINT_FILE = "trainer_state.json"
"""The file that transformers writes last into a checkpoint."""


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """Load a tokenizer. Raises Refusal for an unknown model."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, padding_side="left")
    except (OSError, ValueError) as error:
        raise _unknown_model(name, error) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def end_token_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return every token id that ends a completion: those of the model's generation config, and the tokenizer's."""
    configured = model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({id_ for id_ in (*ids, tokenizer.eos_token_id) if id_ is not None})


def load_model(name: str, revision: str | None = None, attention: str | None = None) -> PreTrainedModel:
    """Load weights in float32: updates as small as 1e-6 vanish in bfloat16. A GPU still computes in bfloat16 (`bf16`).

    Raises Refusal for an unknown model, and for an attention kernel that is not installed.
    """
    try:
        return AutoModelForCausalLM.from_pretrained(
            name, revision=revision, dtype=torch.float32, attn_implementation=attention
        )
    except (OSError, ValueError) as error:
        raise _unknown_model(name, error) from error
    except ImportError as error:
        raise Refusal(
            f"attention {attention!r}: {str(error).splitlines()[0]}", "Install it, or remove the key"
        ) from error


def load_for_sampling(name: str) -> PreTrainedModel:
    """Load a model for sampling: in bfloat16 on the GPU if there is one."""
    if not torch.cuda.is_available():
        return load_model(name)
    return load_model(name).to(device="cuda", dtype=torch.bfloat16)


def _unknown_model(name: str, error: Exception) -> Refusal:
    first = str(error).splitlines()[0]
    return Refusal(f"the model {name!r} cannot be loaded: {first}", "Correct `base` in the recipe, or its files")


def common_arguments(folder: Path, seed: int, batch: int, per_device: int, parallel: int = 1) -> dict[str, Any]:
    """Return the arguments of any training; `parallel` devices share a row.

    Raises Refusal when the batch is not divisible by devices and rows.
    """
    gpu = torch.cuda.is_available()
    devices = max(1, PartialState().num_processes // parallel)
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
        "use_cpu": not gpu,
        "bf16": gpu,
        "activation_checkpointing": gpu,
        "disable_tqdm": True,  # `StopCallback` logs the progress
    }


def build_arguments(
    kind: type[T], owned: dict[str, Any], extra: Mapping[str, Any], key: str, defaults: Mapping[str, Any]
) -> T:
    """Build TRL's arguments from those that the trainer owns and the extra ones of the recipe, which replace defaults.

    Raises Refusal for an extra one that is unknown, or that the trainer owns.
    """
    known = {field.name for field in fields(kind) if field.init}
    if unknown := sorted(extra.keys() - known):
        raise Refusal(f"{key}: {kind.__name__} has no argument {', '.join(unknown)}", "Correct the name, or remove it")
    if taken := sorted(extra.keys() & owned.keys()):
        raise Refusal(f"{key}: the trainer sets {', '.join(taken)}", "Remove it; the recipe may have a key for it")
    try:
        built = kind(**{"report_to": "tensorboard", **defaults, **extra, **owned})
    except (TypeError, ValueError) as error:
        raise Refusal(f"{key}: {kind.__name__} refuses the arguments: {error}", "Correct the recipe") from error
    _check_reports(built, key)
    return built


def _check_reports(arguments: Any, key: str) -> None:
    """Raise Refusal for a tracker that is not installed, and for an upload without a name."""
    if missing := sorted(set(arguments.report_to) - set(get_available_reporting_integrations())):
        raise Refusal(f"{key}: report_to: {', '.join(missing)} is not installed", "Install it, or remove it")
    if arguments.push_to_hub and not arguments.hub_model_id:
        raise Refusal(f"{key}: push_to_hub needs a name", "Give hub_model_id: owner/name")


def save_model(trainer: Trainer, folder: Path) -> None:
    """Save the trained weights in the folder; with `push_to_hub` upload them first.

    transformers uploads all that is in the phase's folder but its checkpoints, and would upload this folder too.
    """
    if trainer.args.push_to_hub:
        trainer.push_to_hub(commit_message="Trained weights", revision=trainer.args.hub_revision)
    trainer.save_model(str(folder), _internal_call=True)


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
