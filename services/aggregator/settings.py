"""Settings of the aggregator."""

from shared.settings import Settings as Shared


class Settings(Shared):
    service: str = "aggregator"
