"""`python -m trainer.sft`"""

from trainer.phases.command import main
from trainer.phases.sft import train

if __name__ == "__main__":
    main("sft", train)
