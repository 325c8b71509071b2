"""Reinforcement learning with CISPO, by TRL's GRPOTrainer: `python -m trainer.rl`.

CISPO (MiniMax-M1, arXiv 2506.13585) caps the importance weight instead of clipping the update, so that every token
keeps its gradient. That differs from DAPO only where the policy has left the sampler: several steps a generation.
"""

import logging
from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from trl import GRPOConfig, GRPOTrainer

from shared.answers.symbolic import SymbolicWorker
from shared.errors import Refusal
from trainer.data import prompt
from trainer.metrics.grading import grader
from trainer.metrics.rewards import Reward
from trainer.models import weights
from trainer.phases.rl_set import problems
from trainer.run.run_folder import Found, Run
from trainer.run.stop_callback import attach, seconds


def train(run: Run) -> Found:
    """Train on from the SFT model; the model lies in `rl/model`."""
    if run.recipe.rl is None:
        raise Refusal("the recipe has no rl", "Add `rl: {}` to it")
    start, pool = run.needed("sft")["model"], run.needed("rl_set")["kept"]
    groups = run.recipe.rl.completions * run.recipe.rl.reuse // run.recipe.rl.rollouts
    if pool < groups:
        raise Refusal(
            f"{pool} problems do not fill one generation of {groups}; TRL would drop them all in silence",
            "Lower rl.completions, or grow the dataset",
        )
    rows = [
        {
            "prompt": prompt(run.recipe, row),
            "answer": row.answer,
            "answer_type": row.answer_type,
            "problem": row.problem,
        }
        for row in problems(run)
    ]
    logging.getLogger("trl.trainer.grpo_trainer").setLevel(
        logging.ERROR
    )  # what nobody can tell is in the log: `unsure`
    tokenizer = weights.tokenizer(start)
    trainer = GRPOTrainer(
        weights.model(start),
        reward_funcs=Reward(grader(run, SymbolicWorker())),
        args=settings(run, vllm_max_model_length=longest(run, rows, tokenizer)),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    attach(trainer, "rl")
    trainer.train(resume_from_checkpoint=weights.last_checkpoint(run.path("rl")))
    trainer.save_model(str(run.path("rl", "model")))
    trainer.state.save_to_json(str(run.path("rl", "log.json")))
    steps, took = trainer.state.global_step, seconds(trainer.state.log_history)
    return {"model": str(run.path("rl", "model")), "problems": len(rows), "steps": steps, "seconds": round(took, 1)}


def longest(run: Run, rows: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens of the longest rollout there can be; vLLM would keep room for all that the model could read."""
    prompts = (
        tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False) for row in rows
    )
    return max(map(len, prompts)) + run.recipe.evaluate.max_tokens


def settings(run: Run, **changes: Any) -> GRPOConfig:
    """TRL's settings for a run."""
    rl = run.recipe.rl
    assert rl is not None  # noqa: S101 - `train` has looked
    common = weights.common(run.path("rl"), run.recipe.seed, rl.completions, rl.per_device)
    accumulation = common["gradient_accumulation_steps"]
    told = {
        "loss_type": "cispo",
        "epsilon_high": rl.epsilon_high,
        "learning_rate": rl.learning_rate,
        "lr_scheduler_type": rl.scheduler,
        "num_train_epochs": rl.epochs,
        "save_steps": rl.checkpoint_generations * rl.reuse,  # a generation is never cut in two by a restart
        "num_generations": rl.rollouts,
        "steps_per_generation": accumulation * rl.reuse,
        "generation_batch_size": None,
        "max_completion_length": run.recipe.evaluate.max_tokens,
        "temperature": 1.0,
        "use_vllm": rl.vllm != "no",
        "vllm_mode": rl.vllm if rl.vllm != "no" else "colocate",
        "vllm_gpu_memory_utilization": rl.vllm_memory,
        "vllm_server_base_url": rl.vllm_server,
        "bf16": common["bf16"],
    }
    return GRPOConfig(**{**common, **told, **changes})
