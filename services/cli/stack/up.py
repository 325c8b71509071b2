"""`chimera up`: the stack of `chimera run`, kept running by a supervisor in the background."""

import json
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from deploy.local import workdir
from deploy.local.errors import StackError
from deploy.local.events import StackEvent
from deploy.local.state_file import StateFile
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.run.command import headline
from services.cli.run.live_view import LiveView
from shared.errors import Refusal


def up(order: RunConfig, *, as_json: bool) -> None:
    """Start it, return when all services are ready. Raises Refusal when it is up already, StackError when it fails."""
    if (record := StateFile.read(order.directory)).up and record.supervisor:
        running = f"a stack already runs in {order.directory} (pid {record.supervisor.pid})"
        raise Refusal(
            running, f"Look at it with `chimera status{_where(order)}`, stop it with `chimera down{_where(order)}`"
        )
    models_config.check_unmixed(order.directory, simulated=order.simulated)
    try:
        (order.directory / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(
            f"{order.directory} cannot be used: {error.strerror}", "Give another folder with --dir"
        ) from error
    started = time.monotonic()
    with LiveView(Console(stderr=as_json, highlight=False)) as view:
        for line, style in headline(order):
            view.say(line, style)
        pid, seconds = _start(order, view)
    seconds["all"] = round(time.monotonic() - started, 2)
    if as_json:
        print(json.dumps({"pid": pid, "directory": str(order.directory), "seconds": seconds}))  # noqa: T201
        return
    for line in describe(seconds, pid, _where(order)):
        view.say(line)


def _start(order: RunConfig, view: LiveView) -> tuple[int, dict[str, float]]:
    """Start the supervisor in a session of its own. Ctrl-C here stops it again."""
    with workdir.rotate_log(order.directory, "supervisor").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "services.cli.stack.supervisor_main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    assert process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        with process.stdin as stdin:
            stdin.write(order.to_json())
        for line in process.stdout:
            match json.loads(line):
                case {"event": event}:
                    view.stack(StackEvent(**event))
                case {"ready": seconds}:
                    process.stdout.close()
                    process.returncode = 0  # it lives on, and is not ours to wait for
                    return process.pid, seconds
                case {"refused": refused}:
                    raise StackError(**refused)
        raise _died(process, order.directory)
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _died(process: "subprocess.Popen[str]", directory: Path) -> StackError:
    log = directory / "logs" / "supervisor.log"
    lines = log.read_text(errors="replace").splitlines()[-15:]
    return StackError(f"the supervisor ended with {process.wait()} before it was up", f"read {log}", "\n".join(lines))


def describe(seconds: dict[str, float], pid: int, where: str) -> list[str]:
    """What a person reads when it is up."""
    shown = {name: took for name, took in seconds.items() if name not in ("services", "all")}
    width = max(map(len, shown))
    return [
        *(f"  {name:{width}}  {took:4.1f} s" for name, took in shown.items()),
        f"Up after {seconds['all']:.1f} s, and stays up (pid {pid})",
        "",
        f"how is it?        chimera status{where}",
        f"what does it do?  chimera logs planner -f{where}",
        f"more hands        chimera scale synthesis=3{where}",
        f"enough            chimera down{where}",
    ]


def _where(order: RunConfig) -> str:
    return "" if order.directory == Path(".chimera") else f" --dir {order.directory}"
