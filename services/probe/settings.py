from shared.config import settings


class Settings(settings.Settings):
    """Probe."""

    service: str = "probe"
