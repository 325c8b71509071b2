"""`python -m trainer.control`: the control arm, more SFT."""

from trainer.phases.options import parse

if __name__ == "__main__":
    parse("control")  # first: it exits for --help, and what follows imports torch
    from trainer.phases.command import main
    from trainer.phases.sft_control import train

    main("control", train)
