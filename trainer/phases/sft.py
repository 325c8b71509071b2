"""Supervised fine-tuning on the chains of thought of a release, by TRL's SFTTrainer: `python -m trainer.sft --help`.

Resumes from its last checkpoint. The checkpoint with the lowest loss on validation rows is the result.
"""

from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from shared.errors import Refusal
from trainer.data import TRAIN, VALIDATION, Measured, measure
from trainer.models import weights
from trainer.run.run_folder import Found, Run, log_line
from trainer.run.stop_callback import attach, seconds


def train(run: Run) -> Found:
    """Train; the model lies in `sft/model`."""
    tokenizer = weights.tokenizer(run.recipe.base, run.recipe.revision)
    rows, validation = (taught(run, part, tokenizer) for part in (TRAIN, VALIDATION))
    if not rows.rows:
        raise Refusal(f"no row fits into {run.recipe.max_length} tokens", "Raise max_length")
    log_line(f"sft: {_describe(rows)}; validation: {_describe(validation)}")
    validated = bool(validation.rows)
    trainer = SFTTrainer(
        weights.model(run.recipe.base, run.recipe.revision),
        settings(run, run.path("sft"), validated),
        train_dataset=Dataset.from_list(rows.rows),
        eval_dataset=Dataset.from_list(validation.rows) if validated else None,
        processing_class=tokenizer,
        peft_config=_adapters(run.recipe.sft.lora_rank),
    )
    found = trained(trainer, "sft", run.path("sft"))
    best = trainer.state.best_model_checkpoint
    return found | {
        "train": rows.summary(),
        "validation": validation.summary(),
        "best_step": int(best.rpartition("-")[2]) if best else None,
        "best_epoch": _epoch_of(trainer.state.best_global_step, trainer.state.log_history) if best else None,
    }


def taught(run: Run, part: str, tokenizer: PreTrainedTokenizerBase) -> Measured:
    """Rows of a split that have a trace to learn from."""
    return measure([row for row in run.examples if row.taught and row.split == part], tokenizer, run.recipe)


def trained(trainer: SFTTrainer, phase: str, folder: Path) -> Found:
    """Train to the end, from the last checkpoint on; the model lies in the folder's `model`."""
    attach(trainer, phase)
    trainer.train(resume_from_checkpoint=weights.last_checkpoint(folder))
    if isinstance(trainer.model, PeftModel):
        trainer.model = trainer.model.merge_and_unload()
    trainer.save_model(str(folder / "model"))
    trainer.state.save_to_json(str(folder / "log.json"))
    steps, took = trainer.state.global_step, seconds(trainer.state.log_history)
    return {"model": str(folder / "model"), "steps": steps, "seconds": round(took, 1)}


def settings(run: Run, folder: Path, validated: bool, **changes: Any) -> SFTConfig:
    """TRL's settings for a run."""
    sft = run.recipe.sft
    return SFTConfig(
        **weights.common(folder, run.recipe.seed, sft.batch, sft.per_device),
        learning_rate=sft.learning_rate,
        lr_scheduler_type=sft.scheduler,
        warmup_steps=sft.warmup,
        num_train_epochs=sft.epochs,
        save_steps=sft.checkpoint_steps,
        eval_strategy="steps" if validated else "no",
        eval_steps=sft.checkpoint_steps,
        load_best_model_at_end=validated,
        metric_for_best_model="eval_loss" if validated else None,
        per_device_eval_batch_size=sft.per_device,
        max_length=run.recipe.max_length,
        packing=sft.packing,
        completion_only_loss=True,
        **changes,
    )


def _adapters(rank: int) -> LoraConfig | None:
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM") if rank else None


def _epoch_of(step: int | None, history: list[dict[str, Any]]) -> float | None:
    return next((round(line["epoch"], 2) for line in history if line["step"] == step and "eval_loss" in line), None)


def _describe(measured: Measured) -> str:
    found = measured.summary()
    hard = found["difficulty_too_long"]
    left = f"{found['too_long']} too long" + (f", of difficulty {hard:.2f}" if hard is not None else "")
    return f"{found['rows']} rows, {found['tokens']} tokens, longest {found['longest']}, {left}"
