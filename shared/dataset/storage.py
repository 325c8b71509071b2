"""Location of a dataset: a local folder, or a prefix on an object store in the syntax of delta-rs (s3://, gs://, abfs://).

On a store, tables and small files use the same library, so both take endpoint and credentials from the same environment
variables (docs/how-to/dataset.md), and this code holds no secret.
"""

import contextlib
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from shared.errors import Refusal

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

Location = Path | str

_NOT_IN_URLS = re.compile(r"[#?\[\]^|\\\x00-\x1f\x7f\ud800-\udfff]|%[0-9A-Fa-f]{2}")
r"""Measured with deltalake 1.6, which turns a local path into URLs: with `[ ] ^ |` it panics, with `\` and `%20` it
reads another folder than it writes, with `# ?` it reads no history. It resolves links first: an alias does not help."""
BUFFER_BYTES = 1 << 26
"""Write buffer in bytes: a small file is sent in one request."""


def is_remote(where: Location) -> bool:
    """Whether the location is on an object store."""
    return "://" in str(where)


def check_location(where: Location) -> None:
    """Raise Refusal for a local path that Delta tables cannot have: it does not survive the library's URLs."""
    found = None if is_remote(where) else _NOT_IN_URLS.search(str(Path(where).absolute()))
    if found:
        raise Refusal(
            f"{where}: a dataset cannot be in a folder with {found[0]!r} in its path",
            "Use a folder without any of # ? [ ] ^ | \\ %20 (a % and two digits), and without control characters",
        )


def address(where: Location, name: str) -> str:
    """Return the URL of a name in the dataset: a local path is quoted as an URL, independent of the locale.

    Raises Refusal as `check_location` does.
    """
    check_location(where)
    return join(where, name) if is_remote(where) else Path(where, name).absolute().as_uri()


def join(where: Location, name: str) -> str:
    """Return the path of a name in the dataset, as a person reads it."""
    return f"{str(where).rstrip('/')}/{name}"


def open_table(where: Location, name: str) -> DeltaTable | None:
    """Open a table; None when there is none. Raises OSError when a store does not answer, or refuses.

    `DeltaTable.is_deltatable` would block all threads of the process while a store does not answer.
    """
    try:
        return DeltaTable(address(where, name))
    except TableNotFoundError:
        return None


def list_files(where: Location, folder: str) -> dict[str, datetime]:
    """Return the files in a folder of the dataset by name, each with its time; none when there is no such folder."""
    from pyarrow.fs import FileSelector  # takes longer to import than an item takes to read

    return {
        info.base_name: info.mtime
        for info in files_of(where).get_file_info(FileSelector(folder, allow_not_found=True))
        if info.is_file
    }


def delete_files(where: Location, files: Iterable[str]) -> None:
    """Delete files; one that is gone already is no error."""
    store = files_of(where)
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            store.delete_file(file)


def file_exists(where: Location, file: str) -> bool:
    """Whether a small file exists."""
    return bool(files_of(where).get_file_info(file).is_file)


def read_file(where: Location, file: str) -> bytes:
    """Read a small file."""
    with files_of(where).open_input_stream(file) as source:
        return bytes(source.read())


def write_file(where: Location, file: str, content: bytes) -> None:
    """Write a small file atomically."""
    if not is_remote(where):
        path = Path(where, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.partial")
        draft.write_bytes(content)
        draft.replace(path)
        return
    with files_of(where).open_output_stream(file, buffer_size=BUFFER_BYTES) as out:
        out.write(content)


def files_of(where: Location) -> "FileSystem":
    """Return the folder or the prefix as a file system."""
    from pyarrow.fs import LocalFileSystem, PyFileSystem, SubTreeFileSystem

    if is_remote(where):
        from deltalake.fs import DeltaStorageHandler

        return PyFileSystem(DeltaStorageHandler(str(where)))
    return SubTreeFileSystem(str(Path(where).absolute()), LocalFileSystem())
