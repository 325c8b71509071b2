"""`python -m trainer.evaluate`: pass@k of every model."""

from trainer.phases.command import main
from trainer.phases.evaluate import evaluate

if __name__ == "__main__":
    main("evaluate", evaluate)
