"""Trains on a released dataset: SFT, then RL, then pass@k.

data.py      rows of a dataset, split, rendered and measured
example.py   a row as the trainer reads it
files.py     rows of exports and of published datasets
handler.py   the service: trains on `training.triggered`
recipe.py    the recipe: every key that decides what is trained and measured
settings.py  settings of the service
stages.py    the models of a run, and of a comparison
benchmarks/  public benchmarks
metrics/     grading, rewards, pass@k and plots
models/      weights, tokenizers and samplers
phases/      the work of each phase
run/         the run folder: state, progress, forecast of costs
"""
