"""`python -m trainer.rl_set`"""

from trainer.phases.command import main
from trainer.phases.rl_set import select

if __name__ == "__main__":
    main("rl_set", select)
