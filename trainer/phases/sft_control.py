"""Control arm: more SFT on as many tokens as RL took: `python -m trainer.control`.

A gain of RL means something only against this arm. It starts from the SFT model, with SFT's learning rate and schedule.
"""

from datasets import Dataset
from trl import SFTTrainer

from trainer.example import TRAIN
from trainer.models import weights
from trainer.phases.sft import build_config, measure_split, run_training
from trainer.run.run_folder import PhaseResult, Run, read_history
from trainer.run.stop_callback import total_tokens


def train(run: Run) -> PhaseResult:
    """Continue SFT from the SFT model; the result is in `control/model`."""
    before = run.require_result("sft")
    run.require_result("rl")
    sft, rl = (total_tokens(read_history(run, phase)) for phase in ("sft", "rl"))
    steps = max(1, round(rl / sft * before["steps"]))
    tokenizer = weights.load_tokenizer(before["model"])
    trainer = SFTTrainer(
        weights.load_model(before["model"], attention=run.recipe.attention),
        build_config(run, run.path("control"), has_validation=False, max_steps=steps),
        train_dataset=Dataset.from_list(measure_split(run, TRAIN, tokenizer).rows),
        processing_class=tokenizer,
    )
    return run_training(trainer, "control", run.path("control"))
