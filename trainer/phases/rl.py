"""Reinforcement learning with CISPO, by TRL's GRPOTrainer: `python -m trainer.rl`.

CISPO (MiniMax-M1, arXiv 2506.13585) caps the importance weight instead of clipping the update, so every token keeps
its gradient. It differs from DAPO only where the policy differs from the sampler: with several steps a generation.
"""

import logging
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from trl import GRPOConfig, GRPOTrainer

from shared.answers.symbolic import SymbolicWorker
from shared.errors import Refusal
from trainer.data import render_prompt
from trainer.metrics.grading import build_grader
from trainer.metrics.rewards import Reward
from trainer.models import weights
from trainer.models.sampling import opens_thinking
from trainer.phases.rl_set import load_pool
from trainer.run.run_folder import PhaseResult, Run, hardware
from trainer.run.stop_callback import IMPORTANCE_RATIO, TRUNCATED, attach, total_seconds, total_tokens


def train(run: Run) -> PhaseResult:
    """Continue training from the SFT model; the result is in `rl/model`."""
    if run.recipe.rl is None:
        raise Refusal("the recipe has no `rl`", "Add `rl: {}` to it")
    sft_model, pool_size = run.require_result("sft")["model"], run.require_result("rl_set")["kept"]
    groups = run.recipe.rl.completions * run.recipe.rl.reuse // run.recipe.rl.rollouts
    if pool_size < groups:
        raise Refusal(
            f"{pool_size} problems do not fill one generation of {groups}; TRL would silently drop them all",
            "Lower rl.completions, or grow the dataset",
        )
    tokenizer = weights.load_tokenizer(sft_model)
    rows = [
        {
            "prompt": render_prompt(run.recipe, row, tokenizer),
            "answer": row.answer,
            "answer_type": row.answer_type,
            "problem": row.problem,
        }
        for row in load_pool(run)
    ]
    # It warns of each reward of None; their share is logged as `unsure`.
    logging.getLogger("trl.trainer.grpo_trainer").setLevel(logging.ERROR)
    model = weights.load_model(sft_model, attention=run.recipe.attention)
    trainer = GRPOTrainer(
        model,
        reward_funcs=Reward(
            build_grader(run, SymbolicWorker()),
            frozenset(weights.end_token_ids(model, tokenizer)),
            opens_thinking(tokenizer),
        ),
        args=build_config(run, vllm_max_model_length=longest_rollout(run, rows, tokenizer)),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    attach(trainer, "rl")
    trainer.train(resume_from_checkpoint=weights.find_last_checkpoint(run.path("rl")))
    weights.save_model(trainer, run.path("rl", "model"))
    trainer.state.save_to_json(str(run.path("rl", "log.json")))
    steps, history = trainer.state.global_step, trainer.state.log_history
    return {
        "model": str(run.path("rl", "model")),
        "problems": len(rows),
        "steps": steps,
        "seconds": round(total_seconds(history), 1),
        "tokens": total_tokens(history),
        "hardware": hardware(),
        "truncated": _mean(history, TRUNCATED),
        "importance_ratio": _mean(history, IMPORTANCE_RATIO),
    }


def _mean(history: Sequence[dict[str, Any]], name: str) -> float | None:
    """Return the mean of a logged value over the steps; None when it was not logged."""
    values = [float(entry[name]) for entry in history if name in entry]
    return fmean(values) if values else None


def longest_rollout(run: Run, rows: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the tokens of the longest possible rollout; vLLM's default is the model's full context."""
    prompts = (
        tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False) for row in rows
    )
    return max(map(len, prompts)) + run.recipe.rollout_tokens


def build_config(run: Run, **changes: Any) -> GRPOConfig:
    """Build TRL's configuration for a run."""
    rl = run.recipe.rl
    assert rl is not None  # noqa: S101 - `train` checks it
    common = weights.common_arguments(run.path("rl"), run.recipe.seed, rl.completions, rl.per_device)
    accumulation = common["gradient_accumulation_steps"]
    rl_arguments = {
        "loss_type": "cispo",
        "epsilon_high": rl.epsilon_high,
        "learning_rate": rl.learning_rate,
        "lr_scheduler_type": rl.scheduler,
        "num_train_epochs": rl.epochs,
        "save_steps": rl.checkpoint_generations * rl.reuse,  # a restart never splits a generation
        "num_generations": rl.rollouts,
        "steps_per_generation": accumulation * rl.reuse,
        "generation_batch_size": None,
        "max_completion_length": run.recipe.rollout_tokens,
        "temperature": 1.0,
        "use_vllm": rl.vllm != "no",
        "vllm_mode": rl.vllm if rl.vllm != "no" else "colocate",
        "vllm_gpu_memory_utilization": rl.vllm_memory,
        "vllm_server_base_url": rl.vllm_server,
        "bf16": common["bf16"],
    }
    # TRL's `sequence_mask` multiplies the ratios of all tokens, and masks nearly every long completion.
    defaults = {"vllm_importance_sampling_mode": "token_truncate", "cast_lm_head_to_fp32": True}
    return weights.build_arguments(GRPOConfig, {**common, **rl_arguments, **changes}, rl.trl, "rl.trl", defaults)
