"""Exit statuses of a phase beside 0, done, and 1, failed with a reason."""

INTERRUPTED = 130
"""Stopped by a signal, with a checkpoint."""
KILLED = 137
"""One of its processes was killed, as a shell reports it."""
