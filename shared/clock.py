"""The clock's one home. Handlers take the time as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - its one home
