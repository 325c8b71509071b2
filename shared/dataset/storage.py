"""Where a dataset lies: a local folder, or a prefix on an object store as delta-rs names it (s3://, gs://, abfs://).

Tables and small files go through the same library, so that both take endpoint and credentials from the same variables
of the environment (docs/dataset.md) and nothing of ours ever holds a secret.
"""

from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileType, PyFileSystem

Location = Path | str

_WHOLE = 1 << 26
"""Bytes that are held back, so that a small file leaves in one piece."""


def remote(where: Location) -> bool:
    """Whether it is an address on an object store."""
    return "://" in str(where)


def join(where: Location, name: str) -> str:
    """The address of what lies in the dataset under a name."""
    return f"{str(where).rstrip('/')}/{name}"


def table(where: Location, name: str) -> DeltaTable | None:
    """The table that lies there, if one does. Raises OSError when a store does not answer, or refuses.

    `DeltaTable.is_deltatable` would stop all threads of the process while a store is silent.
    """
    try:
        return DeltaTable(join(where, name))
    except TableNotFoundError:
        return None


def names(where: Location, folder: str) -> list[str]:
    """Names of the files in a folder of the dataset; none when there is no such folder."""
    return [
        found.base_name
        for found in _files(where).get_file_info(FileSelector(folder, allow_not_found=True))
        if found.type == FileType.File
    ]


def has(where: Location, file: str) -> bool:
    """Whether a small file lies there."""
    return bool(_files(where).get_file_info(file).type == FileType.File)


def read(where: Location, file: str) -> bytes:
    """A small file."""
    with _files(where).open_input_stream(file) as source:
        return bytes(source.read())


def write(where: Location, file: str, content: bytes) -> None:
    """A small file, which appears whole or not at all."""
    with _files(where).open_output_stream(file, buffer_size=_WHOLE) as out:
        out.write(content)


def _files(where: Location) -> PyFileSystem:
    return PyFileSystem(DeltaStorageHandler(str(where)))
