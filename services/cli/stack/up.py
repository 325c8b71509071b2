"""`chimera up`: starts the stack of `chimera run` under a supervisor in the background."""

import json
import subprocess
import time
from pathlib import Path

from rich.console import Console

from deploy.local import workdir
from deploy.local.events import StackEvent
from deploy.local.state_file import StateFile
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.run.command import headline
from services.cli.run.live_view import LiveView
from shared.errors import Refusal


def up(process: "subprocess.Popen[str]", config: RunConfig, *, as_json: bool) -> None:
    """Let the supervisor start the stack; return when all services are ready. Raises Refusal when that fails."""
    if (state := StateFile.read(config.directory)).up and state.supervisor:
        running = f"a stack already runs in {config.directory} (pid {state.supervisor.pid})"
        raise Refusal(running, f"See `chimera status{_where(config)}`, or stop it with `chimera down{_where(config)}`")
    models_config.check_unmixed(config.directory, simulated=config.simulated)
    models_config.check_fit(config.plan, config.models)
    workdir.create(config.directory)
    started = time.monotonic()
    with LiveView(Console(stderr=as_json, highlight=False)) as view:
        for line, style in headline(config):
            view.say(line, style)
        seconds = _configure(process, config, view)
    seconds["all"] = round(time.monotonic() - started, 2)
    if as_json:
        print(json.dumps({"pid": process.pid, "directory": str(config.directory), "seconds": seconds}))  # noqa: T201
        return
    for line in describe(seconds, process.pid, _where(config)):
        view.say(line)


def _configure(process: "subprocess.Popen[str]", config: RunConfig, view: LiveView) -> dict[str, float]:
    """Let the supervisor start the stack; return the seconds until each process was ready."""
    assert process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
    assert process.stdout is not None  # noqa: S101
    with process.stdin as stdin:
        stdin.write(config.to_json())
    for line in process.stdout:
        match json.loads(line):
            case {"event": event}:
                view.stack(StackEvent(**event))
            case {"ready": seconds}:
                process.stdout.close()
                process.returncode = 0  # it keeps running, so do not wait for it
                return dict(seconds)
            case {"refused": refused}:
                raise Refusal(**refused)
    raise _exit_error(process, config.directory)


def _exit_error(process: "subprocess.Popen[str]", directory: Path) -> Refusal:
    log = directory / "logs" / "supervisor.log"
    lines = log.read_text(errors="replace").splitlines()[-15:]
    return Refusal(f"the supervisor ended with {process.wait()} before it was up", f"read {log}", "\n".join(lines))


def describe(seconds: dict[str, float], pid: int, where: str) -> list[str]:
    """Return the lines for a person when the stack is up."""
    shown = {name: took for name, took in seconds.items() if name not in ("services", "all")}
    width = max(map(len, shown))
    return [
        *(f"  {name:{width}}  {took:4.1f} s" for name, took in shown.items()),
        f"Up after {seconds['all']:.1f} s, in the background (pid {pid})",
        "",
        f"state           chimera status{where}",
        f"logs            chimera logs planner -f{where}",
        f"more processes  chimera scale synthesis=3{where}",
        f"stop            chimera down{where}",
    ]


def _where(config: RunConfig) -> str:
    return "" if config.directory == Path(".chimera") else f" --dir {config.directory}"
