"""The models of a run, and of a comparison."""

STAGES = ("base", "sft", "control", "rl")
"""Stages of a run."""
ARMS = ("one", "other", "third")
"""Arms of a comparison."""
STAGE_TITLES = {"base": "base", "sft": "SFT", "control": "SFT + more SFT", "rl": "SFT + RL"}
