"""`python -m trainer.card`"""

from trainer.phases.card import write
from trainer.phases.command import main

if __name__ == "__main__":
    main("card", write)
