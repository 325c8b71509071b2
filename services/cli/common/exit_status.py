"""The exit status of commands that run a stack until something is done."""


def exit_status(outcome: str) -> int:
    """Return the status of an outcome: done, interrupted, or anything that is worth another look."""
    return {"done": 0, "interrupted": 130}.get(outcome, 1)
