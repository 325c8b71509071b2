"""The environments of the peers, in .chimera/bench-peers. They are kept; delete the folder for newer versions."""

import asyncio
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from schemas.codegen.export import ROOT

FOLDER = ROOT / ".chimera" / "bench-peers"
TIMEOUT_S = 1_200.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A library, and the program that does the job with it."""

    name: str
    package: str
    program: str
    extra: tuple[str, ...] = ()
    """What the package imports for models without requiring it."""

    @property
    def python(self) -> Path:
        return FOLDER / self.package / "bin" / "python"


PEERS = (
    Peer("Data Designer", "data-designer", "with_data_designer.py"),
    Peer("Curator", "bespokelabs-curator", "with_curator.py"),
    Peer("distilabel", "distilabel", "with_distilabel.py", ("distilabel[openai]", "requests")),
    Peer(
        "DataTrove",
        "datatrove",
        "with_datatrove.py",
        ("datatrove[io]", "aiofiles", "aiosqlite", "httpx", "xxhash"),
    ),
)


class Failed(Exception):
    """A peer that cannot be measured, with the reason."""


async def run_program(
    *argv: str, timeout_s: float, folder: str | None = None, env: dict[str, str] | None = None
) -> str:
    """Return what a program prints. Raises Failed with its last line of errors."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, cwd=folder, env=env, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(timeout_s):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Failed(f"did not end within {timeout_s:.0f} s") from None
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise Failed(f"ended with {process.returncode}: {lines[-1] if lines else 'no reason'}")
    return output.decode()


async def install(peer: Peer) -> str:
    """Install the newest version of a peer, if it is not there; return its version. Raises Failed."""
    folder = peer.python.parent.parent
    done = folder / "installed"
    if not done.exists():
        await asyncio.to_thread(venv.create, folder, clear=True)
        pip = (sys.executable, "-m", "pip", "--python", str(peer.python))
        await run_program(*pip, "install", "--quiet", peer.package, *peer.extra, timeout_s=TIMEOUT_S)
        done.touch()
    code = f"from importlib.metadata import version; print(version({peer.package!r}))"
    return (await run_program(str(peer.python), "-c", code, timeout_s=TIMEOUT_S)).strip()
