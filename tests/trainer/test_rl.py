"""Our settings make TRL train CISPO, on the selected problems."""

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from trl import GRPOTrainer

from shared.errors import Refusal
from tests.trainer import clock
from tests.trainer.tiny import example, tokenizer
from trainer.metrics.grading import GradedProblem
from trainer.models import weights
from trainer.phases import rl, sft
from trainer.phases.rl_set import classify
from trainer.recipe import Recipe, load_recipe
from trainer.run.run_folder import Run
from trainer.run.stop_callback import total_tokens

RECIPE = {"prompt": "$problem", "rl": {"completions": 4, "per_device": 4, "rollouts": 2, "epsilon_high": 5.0}}


def reward(completions: list[Any], **_: Any) -> list[float]:
    """A reward that differs within every group."""
    return [float(at % 2) for at, _ in enumerate(completions)]


def trainer(folder: Path, **changes: Any) -> GRPOTrainer:
    base = clock.newborn(folder / "newborn")
    run = Run(folder, Recipe.model_validate({"base": str(base), **RECIPE, "evaluate": {"max_tokens": 8}}), folder, None)
    rows = [{"prompt": [{"role": "user", "content": str(n)}]} for n in range(32)]
    settings = rl.build_config(run, report_to="none", max_steps=4, **changes)
    model = weights.load_model(str(base))
    tokens = weights.load_tokenizer(str(base))
    return GRPOTrainer(
        model, reward_funcs=reward, args=settings, train_dataset=Dataset.from_list(rows), processing_class=tokens
    )


def gradients(folder: Path, loss_type: str) -> tuple[float, float | None]:
    """Return gradient norm and fraction of capped tokens for a policy that has already followed its rewards.

    Good completions are e² times as likely as when they were sampled, bad ones e⁻² times.
    """
    torch.manual_seed(0)
    made = trainer(folder, loss_type=loss_type)
    made.current_gradient_accumulation_steps = 1
    ids = torch.arange(4 * 8).reshape(4, 8) % 50 + 10
    mask = torch.ones_like(ids)
    with torch.no_grad():
        now = made.model(torch.cat([ids, ids], 1)).logits.log_softmax(-1)[:, 7:-1].gather(2, ids[..., None])[..., 0]
    advantages = torch.tensor([1.0, -1.0, 1.0, -1.0])
    batch = {
        "prompt_ids": ids,
        "prompt_mask": mask,
        "completion_ids": ids,
        "completion_mask": mask,
        "advantages": advantages,
        "old_per_token_logps": now - 2 * advantages[:, None],
        "num_items_in_batch": mask.sum(),
    }
    made.model.train()
    made.compute_loss(made.model, batch).backward()
    size = sum(float(weight.grad.norm()) for weight in made.model.parameters() if weight.grad is not None)
    return size, next(iter(made._metrics["train"].get("cispo_clip_ratio", ())), None)


def test_cispo_caps_weights_and_keeps_gradients_that_dapo_loses(tmp_path: Path) -> None:
    ours, capped = gradients(tmp_path / "ours", "cispo")
    theirs, _ = gradients(tmp_path / "theirs", "dapo")
    assert capped == pytest.approx(0.5)  # e² is over the cap of 5; a bad completion is never capped
    assert theirs == pytest.approx(0, abs=1e-6)
    assert ours > 0.1


def test_one_generation_serves_several_steps_so_the_policy_is_off_policy(tmp_path: Path) -> None:
    args = trainer(tmp_path).args
    assert (args.loss_type, args.epsilon_high) == ("cispo", 5.0)
    assert args.steps_per_generation == 4 * args.gradient_accumulation_steps
    with pytest.raises(ValueError, match="reuse"):
        Recipe.model_validate({"base": "none", "rl": {"reuse": 1}})


def test_vllm_reserves_memory_for_the_longest_rollout_only(tmp_path: Path) -> None:
    tokens = tokenizer()
    recipe = Recipe.model_validate(
        {"base": "none", "rl": {"vllm": "colocate", "vllm_memory": 0.2}, "evaluate": {"max_tokens": 8}}
    )
    run = Run(tmp_path, recipe, tmp_path, None)
    rows = [{"prompt": [{"role": "user", "content": text}]} for text in ("1", "1+2+3")]
    length = rl.longest_rollout(run, rows, tokens)
    assert length == 1 + 5 + 2 + 8  # user, five bytes, end, assistant; then the completion
    args = rl.build_config(run, vllm_max_model_length=length, report_to="none")
    assert (args.use_vllm, args.vllm_mode) == (True, "colocate")
    assert (args.vllm_gpu_memory_utilization, args.vllm_max_model_length) == (0.2, length)


def test_arguments_of_trl_pass_through_unless_the_trainer_sets_them(tmp_path: Path) -> None:
    def configured(phase: str, **extra: Any) -> Any:
        recipe = Recipe.model_validate({"base": "none", phase: {"trl": extra}})
        run = Run(tmp_path, recipe, tmp_path, None)
        return rl.build_config(run) if phase == "rl" else sft.build_config(run, tmp_path, has_validation=False)

    config = configured("rl", vllm_importance_sampling_mode="token_truncate", report_to="none")
    assert (config.vllm_importance_sampling_mode, config.report_to) == ("token_truncate", [])
    default = configured("rl", report_to="none")
    assert (default.vllm_importance_sampling_mode, default.cast_lm_head_to_fp32) == ("token_truncate", True)
    assert (
        configured("rl", vllm_importance_sampling_mode="sequence_mask").vllm_importance_sampling_mode == "sequence_mask"
    )
    assert configured("sft", weight_decay=0.1).weight_decay == 0.1
    assert configured("sft").report_to == ["tensorboard"]
    for phase in ("sft", "rl"):
        with pytest.raises(Refusal, match=rf"{phase}.trl: the trainer sets learning_rate, save_steps"):
            configured(phase, save_steps=1, learning_rate=1)
        with pytest.raises(Refusal, match=rf"{phase}.trl: \w+Config has no argument weight_decey"):
            configured(phase, weight_decey=0.1)
        with pytest.raises(Refusal, match=rf"{phase}.trl: \w+Config refuses the arguments: "):
            configured(phase, lr_scheduler_kwargs="{", optim="no such optimiser")


def test_trl_takes_the_papers_recipe(tmp_path: Path) -> None:
    run = Run(tmp_path, load_recipe(Path("trainer/configs/paper.yaml")), tmp_path, None)
    config = rl.build_config(run, vllm_max_model_length=40_000)
    assert (config.vllm_mode, config.vllm_enable_sleep_mode, config.mask_truncated_completions) == (
        "colocate",
        True,
        True,
    )
    assert (config.generation_batch_size, config.max_completion_length) == (1024, 32_768)
    assert sft.build_config(run, tmp_path, has_validation=True).train_sampling_strategy == "group_by_length"


def test_tokens_of_a_training_that_was_resumed_are_counted_once() -> None:
    assert total_tokens([{"num_tokens": 5.0}, {"loss": 1.0}, {"num_tokens": 9.0}, {"num_tokens": 4.0}]) == 13


def test_a_pool_smaller_than_one_generation_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path, Recipe(base="none"), tmp_path, None)
    run.path("sft.json").write_text('{"model": "none"}')
    run.path("rl_set.json").write_text('{"kept": 5}')
    with pytest.raises(Refusal, match="5 problems do not fill one generation of 128"):
        rl.train(run)


@pytest.mark.parametrize(
    ("right", "unsure", "taught", "expected"),
    [
        (0, 0, True, "dropped: never solved"),
        (8, 0, True, "dropped: always solved"),
        (5, 3, True, "dropped: always solved"),
        (3, 0, True, "kept: taught"),
        (2, 0, False, "kept: teacher failed it"),
        (1, 0, False, "dropped: teacher failed it, and so does the model"),
    ],
)
def test_practice_is_what_is_sometimes_solved(right: int, unsure: int, taught: bool, expected: str) -> None:
    run = Run(Path(), Recipe(base="none"), Path(), None)
    row = example(1) if taught else example(1, views=["rl"], admission="aside")
    tries = GradedProblem(row.id, samples=8, right=right, unsure=unsure, truncated=0, tokens=None, cost=None)
    assert classify(run, row, tries) == expected
