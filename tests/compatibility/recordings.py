"""What was recorded, read back: `recorded/`. How it came about is told in `recording`."""

import json
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded"
FACTORY, SEED = "chimera", 7


def recorded(name: str) -> Any:
    """One JSON document."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def unpacked(name: str, where: Path) -> Path:
    """The files of an archive, in a folder."""
    with tarfile.open(FOLDER / f"{name}.tar.xz") as archive:
        archive.extractall(where, filter="data")
    return where
