"""Log lines of a training."""

import sys


def log_line(text: str) -> None:
    """Print a line to stderr; stdout is for results."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command line tool
