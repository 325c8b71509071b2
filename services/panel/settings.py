"""Settings of the panel."""

from shared.settings import Settings as Shared


class Settings(Shared):
    service: str = "panel"
