"""The life of a process: start, intake, work, commit, stop. A service's `__main__` builds a Service and calls `run`.

process.py    run: logs, signals, health, the order of starting and stopping
worker.py     stateless services: one event in, events out, once
slots.py      how many events at once, or one alone
machine.py    stateful services with one replica: state folded from the log, snapshot before publishing
sink.py       services that write batches to a store that keeps their place
retry.py      how long to wait between tries
health.py     /livez, /readyz, /metrics
"""

from shared.runtime.process import run
from shared.runtime.service import Handler, Machine, Service

__all__ = ["Handler", "Machine", "Service", "run"]
