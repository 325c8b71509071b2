"""Trains on a released dataset: SFT, then RL, then pass@k.

recipe.py    the recipe: every key that decides what is trained and measured
data.py      rows of a release, split, rendered and measured
handler.py   the service: trains on `training.triggered`
settings.py  settings of the service
__main__.py  starts the service
all.py       `python -m trainer.all`: every phase that a run lacks
sft.py       `python -m trainer.sft`
rl_set.py    `python -m trainer.rl_set`
rl.py        `python -m trainer.rl`
control.py   `python -m trainer.control`
evaluate.py  `python -m trainer.evaluate`
compare.py   `python -m trainer.compare`
card.py      `python -m trainer.card`
phases/      the work of each phase
run/         the run folder: state, progress, forecast of costs
models/      weights, tokenizers and samplers
metrics/     grading, rewards, pass@k and plots
benchmarks/  public benchmarks
configs/     recipes and configurations of accelerate
"""
