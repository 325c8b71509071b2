"""Reads the files in `recorded/`; `recording/__init__.py` describes them."""

import json
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded"
FACTORY, SEED = "chimera", 7


def load_json(name: str) -> Any:
    """Return one JSON document."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def unpack(name: str, folder: Path) -> Path:
    """Unpack an archive; returns the folder."""
    with tarfile.open(FOLDER / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def contains(document: Any, recorded: Any) -> bool:
    """Whether a document has everything of the recorded one. It may have more fields."""
    if isinstance(recorded, dict):
        return isinstance(document, dict) and all(
            name in document and contains(document[name], value) for name, value in recorded.items()
        )
    if isinstance(recorded, list):
        return len(document) == len(recorded) and all(map(contains, document, recorded))
    return bool(document == recorded)
