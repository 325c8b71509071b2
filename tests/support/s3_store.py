"""A local S3 server: moto in a separate process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.ports import LOOPBACK, Ports, is_free
from tests.support.kafka_world import until

BUCKET = "lab"
WHERE = f"s3://{BUCKET}/factory"
SECRET = "never-to-be-seen"  # noqa: S105 - a store that accepts any key


def environment(port: int) -> dict[str, str]:
    """Return the environment variables with which a process finds the server."""
    return {
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


@dataclass
class Store:
    """A bucket."""

    port: int
    pid: int

    @property
    def env(self) -> dict[str, str]:
        return environment(self.port)

    def make(self) -> None:
        self._bucket("PUT")

    def forbid(self, *actions: str) -> None:
        """Answer 403 to these actions from now on; without arguments to none."""
        resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
        denial = {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": resources}
        if actions:
            self._bucket("PUT", "?policy", json.dumps({"Version": "2012-10-17", "Statement": [denial]}))
        else:
            self._bucket("DELETE", "?policy")

    def pause(self) -> None:
        """Stop answering, until `go_on`."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _bucket(self, method: str, query: str = "", content: str = "") -> None:
        address = f"http://{LOOPBACK}:{self.port}/{BUCKET}{query}"
        httpx.request(method, address, content=content, timeout=60).raise_for_status()  # the first request loads boto


@asynccontextmanager
async def store(folder: Path, port: int | None = None) -> AsyncIterator[Store]:
    """Start a server with its bucket; its log is in the folder."""
    port = port or Ports({}).take("store")
    # In a separate folder: its requirements must not decide the versions of ours.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([f"{sys.prefix}/store", os.environ.get("PYTHONPATH", "")])}  # noqa: TID251
    with (folder / "store.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port), stdout=log, stderr=log, env=env
        )
        try:
            await until(lambda: _answers(port), "the store answers")
            started = Store(port, process.pid)
            started.make()
            yield started
        finally:
            process.kill()
            await process.wait()


async def _answers(port: int) -> bool:
    return not is_free(port)
