from shared.config import settings


class Settings(settings.Settings):
    """Problem writer."""

    service: str = "problem_writer"
