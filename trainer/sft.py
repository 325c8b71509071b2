"""`python -m trainer.sft`: supervised fine-tuning."""

from trainer.phases.options import parse

if __name__ == "__main__":
    parse("sft")  # first: it exits for --help, and what follows imports torch
    from trainer.phases.command import main
    from trainer.phases.sft import train

    main("sft", train)
