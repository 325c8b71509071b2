"""The phases of a training run.

command.py      command line of a phase, and how it reports failures
options.py      options of a phase
all.py          runs every phase that a run lacks
sft.py          supervised fine-tuning
rl_set.py       selects the problems for reinforcement learning
rl.py           reinforcement learning with CISPO
sft_control.py  control arm: more SFT instead of RL
evaluate.py     pass@k of every model on held-out rows and benchmarks
card.py         the model card
compare.py      two datasets, one recipe, equal tokens
"""
