from shared import settings


class Settings(settings.Settings):
    """Auditor: no model is asked."""

    service: str = "auditor"
