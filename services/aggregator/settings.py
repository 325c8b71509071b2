"""Settings of the aggregator."""

from shared.config.settings import Settings as Shared


class Settings(Shared):
    service: str = "aggregator"
