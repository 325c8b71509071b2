"""`python -m trainer.rl`: reinforcement learning."""

from trainer.phases.options import parse

if __name__ == "__main__":
    parse("rl")  # first: it exits for --help, and what follows imports torch
    from trainer.phases.command import main
    from trainer.phases.rl import train

    main("rl", train)
