from shared.config import settings


class Settings(settings.Settings):
    """Screening: no model calls as a rule, so many events in flight."""

    service: str = "screening"
    in_flight: int = 128
