"""`python -m trainer.rl_set`: selects the problems for reinforcement learning."""

from trainer.phases.command import main
from trainer.phases.rl_set import select

if __name__ == "__main__":
    main("rl_set", select)
