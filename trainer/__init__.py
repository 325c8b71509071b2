"""Trains on a released dataset: SFT, then RL, then pass@k."""
