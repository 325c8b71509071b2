from shared.config import settings


class Settings(settings.Settings):
    """Synthesis: calls of minutes, little work in the process.

    More events than the 64 calls that an endpoint gets by default: while some are claimed or recorded, as many calls as
    it takes are in flight.
    """

    service: str = "synthesis"
    in_flight: int = 80
