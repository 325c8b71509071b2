"""The exit status of commands that run a stack until something is done."""


def exit_status(outcome: str) -> int:
    """Return 0 when done, 130 when interrupted, otherwise 1."""
    return {"done": 0, "interrupted": 130}.get(outcome, 1)
