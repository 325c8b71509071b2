from shared.config import settings


class Settings(settings.Settings):
    """Auditor: no model, little work, and large events."""

    service: str = "auditor"
    in_flight: int = 16
