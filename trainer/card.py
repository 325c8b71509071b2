"""`python -m trainer.card`: the model card."""

from trainer.phases.options import parse

if __name__ == "__main__":
    parse("card")  # first: it exits for --help, and what follows imports torch
    from trainer.phases.card import write
    from trainer.phases.command import main

    main("card", write)
