"""A phase's own `vllm serve`: started on the visible GPUs for the first completion, ended with the phase.

One server has as many replicas as the GPUs hold (vLLM's data parallelism) and spreads the calls over them. Its log is
in the run folder. It ends with this process, also after `kill -9`.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import torch

from schemas.config.models_config import Endpoint
from shared.errors import Invalid, Refusal, Transient
from shared.llm.endpoint import EndpointClient
from shared.llm.errors import Busy
from shared.parent_death import die_with_parent
from trainer.recipe import Sample
from trainer.run.launcher import find_free_port
from trainer.run.log import log_line

POLL_S = 0.5
"""Seconds between two checks whether the server is ready."""
LIST_S = 5.0
"""Longest wait for the list of models, in seconds."""
STOP_S = 60.0
"""Seconds that the server may take to stop."""
LAST_LINES = 5
"""Lines of the server's log in a failure."""


@dataclass(slots=True)
class VllmServer:
    """Serves one model under the last part of its path or hub name. Use it from the main thread."""

    sample: Sample
    model: str
    revision: str | None
    log: Path
    longest: int
    """Most tokens of a prompt with its completion: the server reserves no cache for more."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _endpoint: Endpoint | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The name of the model as served."""
        return Path(self.model).name

    async def endpoint(self) -> Endpoint:
        """Return the endpoint; start the server first if needed. Raises Refusal when it does not become ready."""
        if self._endpoint is None:
            replicas, port = self._count_replicas(), find_free_port()
            concurrency = replicas * self.sample.max_concurrency
            endpoint = Endpoint(base_url=f"http://127.0.0.1:{port}/v1", max_concurrency=concurrency)
            self._start(replicas, port)
            await self._wait_until_ready(endpoint)
            self._endpoint = endpoint
        return self._endpoint

    def check(self) -> None:
        """Raise Refusal when the server has ended."""
        if self._process and (status := self._process.poll()) is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines()[-LAST_LINES:]
            raise Refusal(
                f"vLLM ended with status {status}: {' | '.join(lines)}",
                f"Read {self.log}; sample.arguments in the recipe are passed to `vllm serve`. Then run this again: "
                "answered calls are kept",
            )

    def stop(self) -> None:
        """End the server with all its processes."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        with contextlib.suppress(ProcessLookupError):  # its engines are in its process group
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = self._endpoint = None

    def _count_replicas(self) -> int:
        gpus, each = max(1, int(torch.cuda.device_count())), self.sample.tensor_parallel
        if gpus % each:
            raise Refusal(f"{gpus} visible GPUs do not hold whole replicas of {each}", "Change sample.tensor_parallel")
        return gpus // each

    def _start(self, replicas: int, port: int) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        log_line(f"vllm serve {self.model}: {replicas} replicas; its log is {self.log}")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the executable that the recipe names
                self._command(replicas, port),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )

    def _command(self, replicas: int, port: int) -> list[str]:
        options = {
            "--host": "127.0.0.1",
            "--port": port,
            "--served-model-name": self.name,
            "--dtype": "bfloat16",
            "--max-model-len": self.longest,
            "--gpu-memory-utilization": self.sample.memory,
            "--tensor-parallel-size": self.sample.tensor_parallel,
            "--data-parallel-size": replicas,
            **({"--revision": self.revision} if self.revision else {}),
        }
        own = [str(part) for option in options.items() for part in option]
        return [*_find_executable(self.sample.command), "serve", self.model, *own, *self.sample.arguments]

    async def _wait_until_ready(self, endpoint: Endpoint) -> None:
        client, began = EndpointClient("vllm", endpoint), time.monotonic()
        try:
            while True:
                self.check()
                with contextlib.suppress(Busy, Transient, Invalid):
                    await client.models(LIST_S)
                    return
                if time.monotonic() - began > self.sample.startup_s:
                    raise Refusal(
                        f"vLLM was not ready after {self.sample.startup_s:.0f} s",
                        f"Read {self.log}, or raise sample.startup_s",
                    )
                await asyncio.sleep(POLL_S)
        finally:
            await client.aclose()


def _find_executable(command: str) -> list[str]:
    """Return the executable of this environment or on the PATH; else, as in an image, vLLM's module.

    Raises Refusal when it is not installed.
    """
    own = str(Path(sys.executable).parent)
    if found := shutil.which(command, path=own) or shutil.which(command):
        return [found]
    if command == "vllm" and find_spec("vllm"):
        return [sys.executable, "-m", "vllm.entrypoints.cli.main"]
    raise Refusal(
        f"sample.engine is vllm, and there is no executable {command!r}",
        "Install requirements/inference.txt, or set sample.engine to in_process or served",
    )
