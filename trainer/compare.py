"""`python -m trainer.compare`: a stable name for `trainer.phases.compare`."""

from trainer.phases.compare import main

if __name__ == "__main__":
    main()
