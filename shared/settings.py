"""Settings that every service shares. They come from the environment: `kafka` is CHIMERA_KAFKA, and so on."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the log, the cache, the plan and the models are, and how much one process takes on."""

    model_config = SettingsConfigDict(env_prefix="CHIMERA_", frozen=True, extra="ignore")

    service: str
    """Name of this deployment: expansion, verifier-a, …; also its consumer group."""
    factory: str = Field(default="chimera", pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    """Name of the factory: prefix of Kafka topics, groups and Valkey keys, root of every id."""
    kafka: str = "127.0.0.1:9092"
    """Bootstrap servers, host:port, separated by commas."""
    valkey: str = "redis://127.0.0.1:6379/0"
    """URL of the Valkey server."""
    plan: Path = Path("plan.yaml")
    """The plan to follow."""
    models: Path = Path("models.json")
    """Which model plays which role."""
    dataset: Path = Path("dataset")
    """Folder of the curated dataset."""
    health_port: int = 8080
    """Port of /livez, /readyz and /metrics; 0 takes a free one."""
    health_host: str = "127.0.0.1"
    """Address that the health server binds."""

    in_flight: int = Field(default=32, ge=1)
    """Events handled at once by one process."""
    session_s: float = Field(default=45.0, ge=6)
    """How long a silent process keeps its partitions, in seconds. Short: quick takeover; long: patient with stalls."""
    poll_s: float = Field(default=300.0, gt=0)
    """A process that asks for no records for so long is out of its group, in seconds."""
    batch_events: int = Field(default=500, ge=1)
    """Most events that a stateful service or sink takes at once."""
    batch_s: float = Field(default=0.5, ge=0)
    """How long a sink gathers a batch, in seconds."""
    uncommitted: int = Field(default=200, ge=1)
    """Finished but uncommitted records a partition before it is paused."""
    attempts: int = Field(default=5, ge=1)
    """Tries of one event before it becomes a dead letter, across processes. With three or more, an event that only
    happened to be in flight when processes died is never blamed."""
    backoff_s: float = Field(default=0.5, gt=0)
    """First wait after a transient error, in seconds; doubles with each try, with jitter."""
    bugs_in_a_row: int = Field(default=20, ge=1)
    """Dead letters by bugs, one after the other, that stop the process."""
    drain_s: float = Field(default=20.0, ge=0)
    """How long a rebalance waits for running events, in seconds."""
    grace_s: float = Field(default=25.0, ge=0)
    """How long running events may go on after SIGTERM, in seconds."""
    marker_days: float = Field(default=7.0, gt=0)
    """How long it is remembered that an event is done, in days."""
