"""Settings of the planner."""

from shared.config.settings import Settings as Shared


class Settings(Shared):
    service: str = "planner"
