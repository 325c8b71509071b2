"""A folder that appears whole or not at all."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import Refusal

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
"""What is left of `s3://` in a path."""


def check_folder(out: Path) -> Path:
    """Return the absolute path of a folder to write, `~` expanded. Raises Refusal when it is not new or empty."""
    if _ADDRESS.match(str(out)):
        raise Refusal(f"{out} is an address, and this command writes local files", "Give a new folder with --out")
    try:
        folder = out.expanduser().absolute()
    except RuntimeError as error:
        raise Refusal(f"{out}: {error}", "Give a new folder with --out") from error
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise Refusal(f"{out} is not a folder", "Give a new folder with --out")
    if folder.resolve() == Path.cwd():
        raise Refusal(f"{out} is the current folder, which cannot be replaced", "Give a new folder with --out")
    if folder.exists() and any(folder.iterdir()):
        raise Refusal(f"{out} is not empty", "Give a new folder with --out")
    return folder


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Yield a draft folder, which is renamed to `out` at the end, and deleted when anything fails.

    Raises Refusal when `out` is not a new or empty folder.
    """
    out = check_folder(out)
    draft = out.with_name(f".{out.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)  # left by a command that was killed
    draft.mkdir(parents=True)
    try:
        yield draft
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
