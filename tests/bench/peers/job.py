"""Arguments and result of a peer's program. It runs in the environment of the peer, and imports nothing of ours."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage


@dataclass
class Job:
    """The four-stage job: write, two verifiers side by side, solve."""

    short_url: str
    """Writes and verifies."""
    long_url: str
    """Solves."""
    problems: int
    in_flight: int
    """Calls in flight to each of the four models."""
    folder: Path
    """Empty."""
    used: tuple[float, float] | None = None
    """Seconds and CPU seconds until `stop`."""

    def start(self) -> None:
        """Start the clock."""
        self._began = time.perf_counter(), _cpu_s()

    def stop(self) -> None:
        """Stop the clock; later calls have no effect."""
        self.used = self.used or (time.perf_counter() - self._began[0], _cpu_s() - self._began[1])


def run(work: Callable[[Job], int]) -> None:
    """Do the work of the command line, which returns the number of rows; print seconds, CPU seconds and rows."""
    short_url, long_url, problems, in_flight, folder = sys.argv[1:]
    job = Job(short_url, long_url, int(problems), int(in_flight), Path(folder))
    job.start()
    rows = work(job)
    job.stop()
    assert job.used is not None
    print(json.dumps({"seconds": job.used[0], "cpu_s": job.used[1], "rows": rows}))  # noqa: T201


def _cpu_s() -> float:
    """Processor time of this process and of those that it started and that have ended."""
    return sum(used.ru_utime + used.ru_stime for used in (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)))
