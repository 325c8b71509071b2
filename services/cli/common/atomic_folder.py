"""A folder that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import Refusal


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Yield a draft folder, which is renamed to `out` at the end, and deleted when anything fails.

    Raises Refusal when `out` is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise Refusal(f"{out} is not empty", "Give a new folder with --out")
    draft = out.absolute().with_name(f".{out.absolute().name}.partial")
    shutil.rmtree(draft, ignore_errors=True)  # left by a command that was killed
    draft.mkdir(parents=True)
    try:
        yield draft
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
