"""Settings of the aggregator."""

from pydantic import Field

from shared.config.settings import Settings as Shared


class Settings(Shared):
    service: str = "aggregator"
    retention_s: float = Field(default=3600.0, ge=60)
    """How long the dataset keeps files that only older versions have, in seconds; seven days are 604800. Files of
    releases are kept for ever."""
