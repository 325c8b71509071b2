"""How a model call can fail.

Busy               the endpoint takes no call now. The call is repeated without limit; no attempt is consumed
Transient          the call broke and may have cost something; counts as an attempt of the event (shared/errors.py)
  TimedOut         nothing arrived in time
Invalid            the endpoint will never accept this request (shared/errors.py)
  Declined         it declines the content, or the request does not fit its context; `Reply.fault` says which
  UnsupportedSchema  it does not know this `response_format`: repeated with another, or with the schema in the prompt
"""

import socket
import ssl

from shared.errors import Invalid, Transient


class Busy(Exception):
    """The endpoint is down, overloaded, or refuses access. `retry_after_s` is its Retry-After, if it sent one."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TimedOut(Transient):
    """Nothing arrived in time. The endpoint may be overloaded."""


class Declined(Invalid):
    """The endpoint declines the request and nothing is paid. `fault` is that of a reply: `refused` or `too_long`."""

    def __init__(self, message: str, fault: str) -> None:
        super().__init__(message)
        self.fault = fault


class UnsupportedSchema(Invalid):
    """The endpoint does not support structured output."""


def explain_unreachable(error: BaseException, address: str) -> str:
    """Return in words why no connection to an address was made; libraries wrap the reason several times."""
    cause = error
    while inner := cause.__cause__ or cause.__context__:
        cause = inner
    match cause:
        case ConnectionRefusedError():
            return f"nothing listens at {address}"
        case socket.gaierror():
            return f"the host of {address} is unknown: {cause.strerror}"
        case ssl.SSLCertVerificationError():
            return f"the certificate of {address} is not trusted: {cause.verify_message}"
        case ssl.SSLError():
            return f"no TLS with {address}: {cause.reason}"
        case TimeoutError():
            return f"{address} does not answer"
        case OSError(strerror=str(reason)):
            return f"{address} cannot be reached: {reason}"
    return f"{type(error).__name__}: {error}"
