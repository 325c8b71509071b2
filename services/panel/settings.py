"""Settings of the panel."""

from shared.config.settings import Settings as Shared


class Settings(Shared):
    service: str = "panel"
