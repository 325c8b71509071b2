from shared.config import settings


class Settings(settings.Settings):
    """Answer checker: large events and little waiting, so few in flight."""

    service: str = "answer_checker"
    in_flight: int = 16
