"""`python -m trainer.rl`: reinforcement learning."""

from trainer.phases.command import main
from trainer.phases.rl import train

if __name__ == "__main__":
    main("rl", train)
