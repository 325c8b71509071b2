from shared import settings


class Settings(settings.Settings):
    """Probe: the attempts of one event run one after the other, so many events at once."""

    service: str = "probe"
    in_flight: int = 64
