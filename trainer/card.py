"""`python -m trainer.card`: the model card."""

from trainer.phases.card import write
from trainer.phases.command import main

if __name__ == "__main__":
    main("card", write)
