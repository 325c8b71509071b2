"""Identities are derived, never drawn: the same work gets the same id, whoever does it again."""

import hashlib
import unicodedata
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0c1c1e-6c0b-5b43-9d0e-1b1f6f6c6d61")


def factory_id(factory: str) -> UUID:
    """Root of every id in one factory."""
    return uuid5(_NAMESPACE, factory)


def derive(parent: UUID, role: str, index: int = 0) -> UUID:
    """Id of the `index`-th thing that `role` makes out of `parent`."""
    return uuid5(parent, f"{role}/{index}")


def seed(event: UUID, call: int = 0) -> int:
    """Sampling seed in [0, 2^31) for the `call`-th model call made for an event."""
    return derive(event, "seed", call).int % 2**31


def normal_form(text: str) -> str:
    """The form in which two texts count as the same: NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def content_hash(text: str) -> str:
    """SHA-256 of the text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
