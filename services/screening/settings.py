from shared.config import settings


class Settings(settings.Settings):
    """Screening: no model, so many at once."""

    service: str = "screening"
    in_flight: int = 128
