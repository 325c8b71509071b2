"""Ends a child process with its parent, also when the parent is killed (PR_SET_PDEATHSIG, Linux).

The kernel signals the child when the thread that started it ends, so start children from a thread that outlives them.
"""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return a function for `preexec_fn`. It runs between fork and exec, so it only makes system calls."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl  # looked up here: no import and no lock between fork and exec

    def setup() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before prctl
            os._exit(1)

    return setup
