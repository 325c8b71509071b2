"""The error vocabulary. Everything else that is raised is a bug.

Invalid      the record itself is at fault: dead letter at once, another try would end the same
  OverBudget  the budget has no room for the call that the record needs
Transient    the world is at fault (endpoint, network): tried again in process with back-off, then dead letter
Refusal      the process cannot start or go on as it is configured: one line for a person, with the next step
"""


class Invalid(Exception):
    """The record can never be handled."""


class OverBudget(Invalid):
    """The budget is spent. Nothing is lost: the record is a dead letter that can be replayed when there is more."""


class Transient(Exception):
    """The same work may succeed later."""


class Refusal(Exception):
    """The process must not run like this. The message says why; `next_step` says what to do.

    `log` holds the last lines of the process at fault, if there is one.
    """

    def __init__(self, message: str, next_step: str, log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.log = log

    def __str__(self) -> str:
        return "\n".join([f"{self.message}. {self.next_step}", *(f"  | {line}" for line in self.log.splitlines())])
