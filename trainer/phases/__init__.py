"""The phases of a training run, one module each."""
