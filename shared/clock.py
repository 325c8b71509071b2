"""The only access to the wall clock. Handlers take the time as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the only access
