from shared.config import settings


class Settings(settings.Settings):
    """Synthesis: calls of minutes, hardly any work here."""

    service: str = "synthesis"
    in_flight: int = 64
