"""`python -m trainer.control`: the control arm, more SFT."""

from trainer.phases.command import main
from trainer.phases.sft_control import train

if __name__ == "__main__":
    main("control", train)
