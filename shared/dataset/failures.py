"""Translates errors of a table, its disk or its object store into the factory's errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError

from shared.errors import Refusal, Transient

_NEWER = re.compile(r"Kernel error: Unsupported|Unsupported table features|features must be specified")
"""Delta's messages for a table with an unknown protocol version. It has no exception class for them."""


_QUERY_ERROR = re.compile(r"^(Schema error|SQL error|Error during planning|Type error)")
"""DataFusion's messages for an invalid query: an error of the caller, not of the disk."""


_MISSING = re.compile(r"(?i)no such file|not found")
"""Messages of folders and stores for a file that is not there."""


class Conflict(Transient):
    """Another writer committed first: reload and decide again."""


class Vanished(Transient):
    """Files of an older version were deleted, since newer files have replaced them: open the table again."""


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Raise Conflict, Transient for a failing disk or store, Refusal for a table that is too new; one line each."""
    try:
        yield
    except Exception as error:
        # DataFusion has no exception class either; its I/O errors start with "External error".
        if not isinstance(error, DeltaError | OSError) and not str(error).startswith("External error"):
            raise
        if _QUERY_ERROR.search(str(error)):
            raise
        message = f"{what}: {_line(error)}"
        if _NEWER.search(str(error)):
            raise Refusal(message, "A newer version wrote it: update Chimera, or use another dataset folder") from error
        raise (Conflict if isinstance(error, CommitFailedError) else Transient)(message) from error


@contextmanager
def translate_read_errors(table: str, version: int) -> Iterator[None]:
    """As `translate_errors`; raises Vanished for a version whose files are gone."""
    what = f"version {version} of {table}"
    try:
        with translate_errors(f"cannot read {what}"):
            yield
    except Transient as error:
        if not _MISSING.search(str(error)):
            raise
        gone = "its files were replaced, and deleted after the retention time (CHIMERA_RETENTION_S of the aggregator)"
        raise Vanished(f"{what} is gone: {gone}. Open the dataset again, or a release. {error}") from error


def _line(error: Exception) -> str:
    """Return the message without colours and without the body of a store's response, which may repeat the request."""
    message = str(error).partition("<?xml")[0]
    return " ".join(re.sub(r"\x1b\[\d*m|↳|:\s*$", "", message).split())
