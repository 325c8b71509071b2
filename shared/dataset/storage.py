"""Location of a dataset: a local folder, or a prefix on an object store in the syntax of delta-rs (s3://, gs://, abfs://).

Tables and small files use the same library, so both take endpoint and credentials from the same environment variables
(docs/dataset.md), and this code holds no secret.
"""

from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileType, PyFileSystem

Location = Path | str

BUFFER_BYTES = 1 << 26
"""Write buffer in bytes: a small file is sent in one request."""


def is_remote(where: Location) -> bool:
    """Whether the location is on an object store."""
    return "://" in str(where)


def join(where: Location, name: str) -> str:
    """Return the address of a name in the dataset."""
    return f"{str(where).rstrip('/')}/{name}"


def open_table(where: Location, name: str) -> DeltaTable | None:
    """Open a table; None when there is none. Raises OSError when a store does not answer, or refuses.

    `DeltaTable.is_deltatable` would block all threads of the process while a store does not answer.
    """
    try:
        return DeltaTable(join(where, name))
    except TableNotFoundError:
        return None


def list_files(where: Location, folder: str) -> list[str]:
    """Return the names of the files in a folder of the dataset; none when there is no such folder."""
    return [
        info.base_name
        for info in _files(where).get_file_info(FileSelector(folder, allow_not_found=True))
        if info.type == FileType.File
    ]


def file_exists(where: Location, file: str) -> bool:
    """Whether a small file exists."""
    return bool(_files(where).get_file_info(file).type == FileType.File)


def read_file(where: Location, file: str) -> bytes:
    """Read a small file."""
    with _files(where).open_input_stream(file) as source:
        return bytes(source.read())


def write_file(where: Location, file: str, content: bytes) -> None:
    """Write a small file atomically."""
    with _files(where).open_output_stream(file, buffer_size=BUFFER_BYTES) as out:
        out.write(content)


def _files(where: Location) -> PyFileSystem:
    return PyFileSystem(DeltaStorageHandler(str(where)))
