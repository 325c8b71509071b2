"""Settings of the grader, from the environment with the prefix `CHIMERA_GRADER_`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a person may turn."""

    model_config = SettingsConfigDict(env_prefix="CHIMERA_GRADER_", frozen=True)

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8200
    """Port to listen on; 0 takes a free one."""
    models: Path | None = None
    """A models file whose `judge` decides where no rule can and the problem is given."""
    judge_s: float = Field(default=120.0, gt=0)
    """How long a judge may take, in seconds; then the answer is 503."""
