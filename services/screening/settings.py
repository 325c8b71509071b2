from shared.config import settings


class Settings(settings.Settings):
    """Screening: no model, so a high concurrency."""

    service: str = "screening"
    in_flight: int = 128
