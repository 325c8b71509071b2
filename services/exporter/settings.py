"""Settings of the exporter."""

from pydantic import Field

from shared.config.settings import Connections


class Settings(Connections):
    """Needs to describe every group and Kafka topic of the factory: run it as the operator."""

    health_port: int = 8080
    """Port of /metrics; 0 takes a free one."""
    health_host: str = "127.0.0.1"
    """Address that the health server binds."""
    lag_every_s: float = Field(default=5.0, gt=0)
    """Interval between two reads of the lag, in seconds."""
