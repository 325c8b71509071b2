"""Follows a tutorial as a reader would: each command in order, in an empty folder, with the files that the page shows.

    python -m tests.docs.journey [FOLDER]     own-plan-and-model.md, with the simulator; prints what each command prints

A command that fails ends it. Port 8100 must be free. FOLDER (new) is kept.
"""

import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.codegen.export import ROOT

PAGE = ROOT / "docs/tutorials/own-plan-and-model.md"
SERVER = ".venv/bin/python -m services.simulator"
MODELS_URL = "http://127.0.0.1:8100/v1/models"
PATIENCE_S = 600.0


def steps(page: str) -> Iterator[tuple[str, str]]:
    """Yield ("file", its text) and ("command", its line), in the order of the page."""
    for kind, text in re.findall(r"```(yaml|sh)\n(.*?)```", page, re.DOTALL):
        if kind == "yaml":
            yield "file", text
        else:
            yield from (("command", line) for line in text.splitlines() if line)


@contextmanager
def server(folder: Path) -> Iterator[None]:
    """Run the simulator while the block runs."""
    process = subprocess.Popen(SERVER.split(), cwd=folder)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the simulator does not answer")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers() -> bool:
    try:
        return bool(urllib.request.urlopen(MODELS_URL, timeout=2).status)
    except (urllib.error.URLError, OSError):
        return False


def follow(folder: Path) -> None:
    """Follow the page in a folder. Raises CalledProcessError for a command that fails."""
    output = ""
    for kind, text in steps(PAGE.read_text()):
        if kind == "file":
            (folder / text.split()[1]).write_text(text)
            continue
        if text == SERVER:
            continue
        if " ID" in text:  # that of a row, as the run printed it
            text = text.replace(" ID", " " + re.findall(r"chimera dataset show (\w+)", output)[-1])
        print(f"\n$ {text}", flush=True)  # noqa: T201
        done = subprocess.run(text.split(), cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, end="", flush=True)  # noqa: T201
        output += done.stdout
        done.check_returncode()


def main() -> None:
    """Follow the tutorial."""
    with tempfile.TemporaryDirectory(prefix="journey-") as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary, "new")
        folder.mkdir()
        (folder / ".venv").symlink_to(ROOT / ".venv")
        with server(folder):
            follow(folder)


if __name__ == "__main__":
    main()
