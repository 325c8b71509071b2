from shared.config import settings


class Settings(settings.Settings):
    """Expansion: few long calls."""

    service: str = "expansion"
    in_flight: int = 8
