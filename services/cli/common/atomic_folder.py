"""A folder that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import Refusal


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """A folder beside the wanted one, which takes its name at the end, and is gone when anything fails.

    Raises Refusal when there is something in the wanted one already.
    """
    if out.exists() and any(out.iterdir()):
        raise Refusal(f"{out} is not empty", "Name a folder with --out that is not there yet")
    draft = out.absolute().with_name(f".{out.absolute().name}.partial")
    shutil.rmtree(draft, ignore_errors=True)  # of a command that was killed
    draft.mkdir(parents=True)
    try:
        yield draft
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
