"""Supervised fine-tuning on the chains of thought of a release, by TRL's SFTTrainer: `python -m trainer.sft --help`.

Resumes at its last checkpoint. The result is the checkpoint with the lowest loss on validation rows.
"""

from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from shared.errors import Refusal
from trainer.data import MeasuredRows, measure
from trainer.example import TRAIN, VALIDATION
from trainer.models import weights
from trainer.run.log import log_line
from trainer.run.run_folder import PhaseResult, Run, distributed_state, hardware
from trainer.run.stop_callback import attach, total_seconds, total_tokens


def train(run: Run) -> PhaseResult:
    """Train; the model is in `sft/model`."""
    tokenizer = weights.load_tokenizer(run.recipe.base, run.recipe.revision)
    rows, validation = (measure_split(run, part, tokenizer) for part in (TRAIN, VALIDATION))
    if not rows.rows:
        raise Refusal(f"no training row fits into {run.recipe.max_length} tokens", "Raise max_length")
    log_line(f"sft: {_describe(rows)}; validation: {_describe(validation)}")
    has_validation = bool(validation.rows)
    trainer = SFTTrainer(
        weights.load_model(run.recipe.base, run.recipe.revision, run.recipe.attention),
        build_config(run, run.path("sft"), has_validation),
        train_dataset=Dataset.from_list(rows.rows),
        eval_dataset=Dataset.from_list(validation.rows) if has_validation else None,
        processing_class=tokenizer,
        peft_config=_lora_config(run.recipe.sft.lora_rank),
    )
    result = run_training(trainer, "sft", run.path("sft"), run.recipe.revision)
    best = trainer.state.best_model_checkpoint
    return result | {
        "train": rows.summary(),
        "validation": validation.summary(),
        "best_step": int(best.rpartition("-")[2]) if best else None,
        "best_epoch": _find_epoch(trainer.state.best_global_step, trainer.state.log_history) if best else None,
    }


def measure_split(run: Run, part: str, tokenizer: PreTrainedTokenizerBase) -> MeasuredRows:
    """Render and measure the rows of a split that SFT trains on."""
    return measure([row for row in run.examples if row.is_for_sft and row.split == part], tokenizer, run.recipe)


def run_training(trainer: SFTTrainer, phase: str, folder: Path, revision: str | None = None) -> PhaseResult:
    """Train to the end, from the last checkpoint; the model is in the folder's `model`."""
    attach(trainer, phase)
    trainer.train(resume_from_checkpoint=weights.find_last_checkpoint(folder))
    if isinstance(model := trainer.accelerator.unwrap_model(trainer.model), PeftModel):
        weights.save_model(trainer, folder / "adapter")
        base = model.peft_config["default"].base_model_name_or_path
        _merge_adapter(base, revision, folder, trainer.processing_class)
    else:
        weights.save_model(trainer, folder / "model")
    trainer.state.save_to_json(str(folder / "log.json"))
    steps, history = trainer.state.global_step, trainer.state.log_history
    tokens, took = total_tokens(history), round(total_seconds(history), 1)
    return {"model": str(folder / "model"), "steps": steps, "seconds": took, "tokens": tokens, "hardware": hardware()}


def _merge_adapter(base: str, revision: str | None, folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """Merge the saved adapter into its base, in the memory of the main process: the trained weights may be sharded."""
    state = distributed_state()
    state.wait_for_everyone()
    if state.is_main_process:
        merged = PeftModel.from_pretrained(weights.load_model(base, revision), folder / "adapter").merge_and_unload()
        merged.save_pretrained(folder / "model")
        tokenizer.save_pretrained(folder / "model")


def build_config(run: Run, folder: Path, has_validation: bool, **changes: Any) -> SFTConfig:
    """Build TRL's configuration for a run."""
    sft, parallel = run.recipe.sft, run.recipe.sft.context_parallel
    owned = {
        **weights.common_arguments(folder, run.recipe.seed, sft.batch, sft.per_device, parallel),
        "learning_rate": sft.learning_rate,
        "lr_scheduler_type": sft.scheduler,
        "warmup_steps": sft.warmup,
        "num_train_epochs": sft.epochs,
        "save_steps": sft.checkpoint_steps,
        "eval_strategy": "steps" if has_validation else "no",
        "eval_steps": sft.checkpoint_steps,
        "load_best_model_at_end": has_validation,
        "metric_for_best_model": "eval_loss" if has_validation else None,
        "per_device_eval_batch_size": sft.per_device,
        "max_length": run.recipe.max_length,
        "packing": sft.packing,
        "train_sampling_strategy": "group_by_length" if sft.group_by_length else "random",
        "completion_only_loss": True,
        **({"pad_to_multiple_of": 2 * parallel} if parallel > 1 else {}),  # each device takes two pieces of a row
        **changes,
    }
    return weights.build_arguments(SFTConfig, owned, sft.trl, "sft.trl", defaults={})


def _lora_config(rank: int) -> LoraConfig | None:
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM") if rank else None


def _find_epoch(step: int | None, history: list[dict[str, Any]]) -> float | None:
    return next((round(line["epoch"], 2) for line in history if line["step"] == step and "eval_loss" in line), None)


def _describe(measured: MeasuredRows) -> str:
    found = measured.summary()
    difficulty = found["difficulty_too_long"]
    excluded = f"{found['too_long']} too long" + (f", of difficulty {difficulty:.2f}" if difficulty is not None else "")
    return f"{found['rows']} rows, {found['tokens']} tokens, longest {found['longest']}, {excluded}"
