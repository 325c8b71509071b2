"""`python -m trainer.rl_set`: selects the problems for reinforcement learning."""

from trainer.phases.options import parse

if __name__ == "__main__":
    parse("rl_set")  # first: it exits for --help, and what follows imports torch
    from trainer.phases.command import main
    from trainer.phases.rl_set import select

    main("rl_set", select)
