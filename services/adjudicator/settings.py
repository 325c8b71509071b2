from shared.config import settings


class Settings(settings.Settings):
    """Adjudicator."""

    service: str = "adjudicator"
