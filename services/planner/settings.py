"""Settings of the planner."""

from shared.settings import Settings as Shared


class Settings(Shared):
    service: str = "planner"
