"""`python -m trainer.evaluate`: pass@k of every model."""

from trainer.phases.options import parse

if __name__ == "__main__":
    parse("evaluate")  # first: it exits for --help, and what follows imports torch
    from trainer.phases.command import main
    from trainer.phases.evaluate import evaluate

    main("evaluate", evaluate)
