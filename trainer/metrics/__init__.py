"""Grading, rewards, pass@k and plots."""
