"""What the time of RL would have bought otherwise: as long a training by more SFT: `python -m trainer.control`.

A gain of RL says something only beside this arm. It begins where RL began, with SFT's learning rate and schedule.
"""

from datasets import Dataset
from trl import SFTTrainer

from trainer.data import TRAIN
from trainer.models import weights
from trainer.phases.sft import settings, taught, trained
from trainer.run.run_folder import Found, Run


def train(run: Run) -> Found:
    """Train the SFT model on; the result lies in `control/model`."""
    before, rival = run.needed("sft"), run.needed("rl")
    steps = max(1, round(rival["seconds"] / before["seconds"] * before["steps"]))
    tokenizer = weights.tokenizer(before["model"])
    trainer = SFTTrainer(
        weights.model(before["model"]),
        settings(run, run.path("control"), validated=False, max_steps=steps),
        train_dataset=Dataset.from_list(taught(run, TRAIN, tokenizer).rows),
        processing_class=tokenizer,
    )
    return trained(trainer, "control", run.path("control"))
