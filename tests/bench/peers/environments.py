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


async def install(peer: Peer) -> str | None:
    """Install the newest version of a peer, if it is not there; return why it cannot be installed."""
    folder = peer.python.parent.parent
    done = folder / "installed"
    if done.exists():
        return None
    await asyncio.to_thread(venv.create, folder, clear=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "--python", str(peer.python), "install", "--quiet", peer.package, *peer.extra),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        return f"not installed within {TIMEOUT_S:.0f} s"
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"pip ended with {process.returncode}"
    done.touch()
    return None


async def version(peer: Peer) -> str:
    """Return the installed version."""
    code = f"from importlib.metadata import version; print(version({peer.package!r}))"
    process = await asyncio.create_subprocess_exec(peer.python, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode().strip()
