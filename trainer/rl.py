"""`python -m trainer.rl`"""

from trainer.phases.command import main
from trainer.phases.rl import train

if __name__ == "__main__":
    main("rl", train)
