"""What goes wrong with a table, its disk or its store, in the factory's own words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError

from shared.errors import Refusal, Transient

_NEWER = re.compile(r"Kernel error: Unsupported|Unsupported table features|features must be specified")
"""Delta's words for a table whose protocol it does not know. It has no class of errors for them."""


_ASKED = re.compile(r"^(Schema error|SQL error|Error during planning|Type error)")
"""DataFusion's words for a question that is none: whoever asked it is at fault, and not the disk."""


class Conflict(Transient):
    """Somebody else committed first: read again and decide again."""


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Raise, in one line, Conflict, Transient for a disk or a store that fails, Refusal for a table that is too new."""
    try:
        yield
    except Exception as error:
        # DataFusion has no class either: what it was told from outside begins so.
        if not isinstance(error, DeltaError | OSError) and not str(error).startswith("External error"):
            raise
        if _ASKED.search(str(error)):
            raise
        said = f"{what}: {_line(error)}"
        if _NEWER.search(str(error)):
            raise Refusal(said, "Newer software wrote it: update this one, or use another dataset folder") from error
        raise (Conflict if isinstance(error, CommitFailedError) else Transient)(said) from error


def _line(error: Exception) -> str:
    """What was said, without colours and without the body of a store's answer: that may repeat what we sent."""
    said = str(error).partition("<?xml")[0]
    return " ".join(re.sub(r"\x1b\[\d*m|↳|:\s*$", "", said).split())
