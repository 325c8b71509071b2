from shared import settings


class Settings(settings.Settings):
    """Probe."""

    service: str = "probe"
