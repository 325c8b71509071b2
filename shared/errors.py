"""Error classes. Any other exception is a bug.

Invalid       the record is at fault: becomes a dead letter immediately, since a retry would fail again
  OverBudget  the budget has no room for a call that the record needs
Superseded    the record has another content than the first under its id, after a loss of Valkey: dropped and counted
Transient     an endpoint or the network is at fault: retried in the process with backoff, then a dead letter
Refusal       the process cannot start or continue with its configuration: a message for a person, with the next step
"""


class Invalid(Exception):
    """The record cannot be handled, now or later."""


class OverBudget(Invalid):
    """The budget is spent. The record becomes a dead letter, to replay when the budget is larger."""


class Superseded(Exception):
    """Another content under the record's id was joined first, and counts."""


class Transient(Exception):
    """A retry may succeed."""


class Refusal(Exception):
    """The process cannot run with this configuration. The message says why; `next_step` says what to do.

    `log` has the last log lines of the failed process, if there is one.
    """

    def __init__(self, message: str, next_step: str, log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.log = log

    def __str__(self) -> str:
        return "\n".join([f"{self.message}. {self.next_step}", *(f"  | {line}" for line in self.log.splitlines())])
