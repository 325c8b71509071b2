"""`python -m trainer.all`: a stable name for `trainer.phases.all`."""

from trainer.phases.options import parse

if __name__ == "__main__":
    parse("all")  # first: it exits for --help, and what follows imports torch
    from trainer.phases.all import main

    main()
