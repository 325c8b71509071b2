"""Settings of the console."""

from pathlib import Path

from pydantic import Field

from shared.config.settings import Connections


class Settings(Connections):
    """It reads the log without a group, and writes nothing anywhere."""

    plan: Path = Path("plan.yaml")
    """The plan that the factory follows: how many rows are wanted. None is needed."""
    console_host: str = "127.0.0.1"
    """Address to listen on. There is no login: on an address other than loopback put a proxy with one before it."""
    console_port: int = Field(default=8300, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    console_names: str = ""
    """Host names that it answers to, separated by commas; empty: on a loopback address those of this machine, else any.
    """
