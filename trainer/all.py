"""`python -m trainer.all`: a stable name for `trainer.phases.all`."""

from trainer.phases.all import main

if __name__ == "__main__":
    main()
