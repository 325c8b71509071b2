"""A forked service is like one that was executed, and the end of the server is handled like crashes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.local.fork.client import AVAILABLE, ForkServer
from deploy.local.process import Command, Process, RestartPolicy
from deploy.local.process_spec import ProcessSpec
from services.cli.run.local_factory import PRELOAD

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="services are forked on Linux")

REPORT = """
import json, os, sys, threading
from pathlib import Path

print(json.dumps({
    "name": __name__, "spec": __spec__.name, "argv": sys.argv,
    "title": Path("/proc/self/cmdline").read_text().strip("\\0").split("\\0"),
    "environment": dict(os.environ), "leads_session": os.getsid(0) == os.getpid(), "folder": os.getcwd(),
    "files": [os.readlink(f"/proc/self/fd/{number}") for number in range(3)], "open": len(os.listdir("/proc/self/fd")),
    "threads": threading.active_count(), "tasks": len(os.listdir("/proc/self/task")),
}), flush=True)
sys.exit("ended")
"""
DRAW = "import random, signal\nprint(random.random(), flush=True)\nsignal.pause()\n"
MODULES = {"report": REPORT, "draw": DRAW, "brief": "print('here', flush=True)\n"}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of server and services, with modules for them to run."""
    for name, code in MODULES.items():
        (tmp_path / f"{name}.py").write_text(code)
    return {"PYTHONPATH": f"{tmp_path}:{os.getcwd()}", "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
async def server(env: dict[str, str], tmp_path: Path) -> AsyncIterator[ForkServer]:
    server = ForkServer(["json", "random"], {**env, "OF_SERVER": "1"}, tmp_path / "server.log")
    yield server
    await server.stop()


def start(name: str, module: str, env: dict[str, str], folder: Path, server: ForkServer | None) -> Process:
    argv = ProcessSpec(name, module).command_line
    command = Command(name, argv, env, folder / f"{name}.log", module=module)
    policy = RestartPolicy(first_delay_s=0.01, max_crashes=2)
    return Process(command, policy, lambda _: None, lambda: None, lambda _: None, server)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


def has_ended(process: Process) -> bool:
    return process.given_up is not None


def lines(process: Process) -> list[str]:
    return process.command.log.read_text().splitlines()


async def test_a_forked_service_finds_what_an_executed_one_finds(
    server: ForkServer, env: dict[str, str], tmp_path: Path
) -> None:
    found: dict[str, Any] = {}
    for name, one in (("forked", server), ("executed", None)):
        process = start(name, "report", {**env, "OF_SERVICE": "1"}, tmp_path, one)
        await process.start()
        await until(partial(has_ended, process))
        first, second, *_ = lines(process)
        found[name] = {**json.loads(first.replace(f"{name}.log", "LOG")), "message": second}
        assert process.given_up == f"{name} died 2 times within 60 s, last with exit code 1"
    assert found["forked"] == found["executed"]
    assert found["forked"]["tasks"] == 1


async def test_a_process_that_ended_before_its_start_was_noticed_is_seen(
    server: ForkServer, env: dict[str, str], tmp_path: Path
) -> None:
    (log := tmp_path / "brief.log").touch()
    await server.start()
    forking = asyncio.create_task(server.fork("brief", env, log))
    for _ in range(3):
        await asyncio.sleep(0)  # the request is sent; both replies arrive while the loop is busy
    while not log.read_text() or any(one.children() for one in psutil.Process().children()):
        time.sleep(0.1)  # noqa: ASYNC251
    time.sleep(0.1)  # noqa: ASYNC251 - the server reports the end right after it
    assert await (await forking).wait() == 0


async def test_forked_services_draw_different_numbers_and_end_with_the_server(
    server: ForkServer, env: dict[str, str], tmp_path: Path
) -> None:
    processes = [start(f"draw-{number}", "draw", env, tmp_path, server) for number in (1, 2)]
    for process in processes:
        await process.start()
    await until(lambda: all(lines(process) for process in processes))
    assert lines(processes[0]) != lines(processes[1])

    running = [psutil.Process(process.running.id.pid) for process in processes if process.running]
    assert [one.name() for one in running] == ["draw", "draw"]
    parents = {one.ppid() for one in running}
    os.kill(parents.pop(), signal.SIGKILL)
    await until(lambda: all(len(lines(process)) == 2 for process in processes))
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in running)
    assert [process.restarts for process in processes] == [1, 1]
    await asyncio.gather(*(process.stop() for process in processes))


def test_importing_what_services_share_starts_no_thread() -> None:
    code = (
        "import os, sys; from deploy.local.fork.server import preload; preload(sys.argv[1:])\n"
        "print(len(os.listdir('/proc/self/task')), len([name for name in sys.modules if name.endswith('__main__')]))"
    )
    shown = subprocess.run([sys.executable, "-c", code, *PRELOAD], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["1", "1"]
