from shared.config import settings


class Settings(settings.Settings):
    """Synthesis: calls of minutes, little work in the process."""

    service: str = "synthesis"
    in_flight: int = 64
