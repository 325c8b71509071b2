"""What a call can come to, besides an answer.

Busy        nothing was done: the endpoint takes no call now. Asked again for as long as it takes, no attempt is burnt
Transient   the call broke: it may have cost something; one of the event's attempts (shared/errors.py)
  TimedOut  because nothing came in time
Invalid     the endpoint will never take this request (shared/errors.py)
Unformed    the endpoint does not know `response_format`: asked again with the schema in the prompt
"""

from shared.errors import Transient


class Busy(Exception):
    """The endpoint is down, overloaded, or refuses us. `retry_after_s`: when to ask again, if it told."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TimedOut(Transient):
    """Nothing came in time: perhaps there was too much to do."""


class UnsupportedSchema(Exception):
    """No structured output here."""
