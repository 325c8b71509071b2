"""`python -m trainer.sft`: supervised fine-tuning."""

from trainer.phases.command import main
from trainer.phases.sft import train

if __name__ == "__main__":
    main("sft", train)
