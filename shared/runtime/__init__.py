"""Runs a service from start to exit. A service's `__main__` builds a Service and calls `run`.

service.py          the four kinds of service
process.py          `run`: logs, signals, health, order of start and stop
processor.py        the processing pipeline of all loops
flood_guard.py      stops a service whose last events all failed
stateless.py        the loop of a stateless service
worker.py           handles one event of a stateless service, idempotently
slots.py            semaphore with an exclusive mode
commit_pace.py      when a sink commits
single_active.py    the loop that machine and sink share: one replica works, in batches
machine.py          the loop of a state machine: state folded from the log, snapshot before publishing
state_changes.py    the difference between two states
sink.py             the loop of a sink: batches written to a store that keeps its own offsets
background_task.py  a task that runs beside the loop
rotated_credentials.py  notices that a password, key or certificate has changed
health.py           /livez, /readyz, /metrics
"""

from shared.runtime.process import run
from shared.runtime.service import FromLog, Handler, Machine, Service

__all__ = ["FromLog", "Handler", "Machine", "Service", "run"]
