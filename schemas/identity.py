"""Ids are derived, not random: the same work gets the same id when it is repeated."""

import hashlib
import unicodedata
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0c1c1e-6c0b-5b43-9d0e-1b1f6f6c6d61")


def factory_id(factory: str) -> UUID:
    """The root of all ids of one factory."""
    return uuid5(_NAMESPACE, factory)


def derive(parent: UUID, role: str, index: int = 0) -> UUID:
    """Derive the id of the `index`-th result that `role` makes from `parent`."""
    return uuid5(parent, f"{role}/{index}")


def seed(event: UUID, call: int = 0) -> int:
    """Derive the sampling seed, in [0, 2^31), of the `call`-th model call for an event."""
    return derive(event, "seed", call).int % 2**31


def normal_form(text: str) -> str:
    """Normalise a text for comparison: NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def content_hash(text: str) -> str:
    """SHA-256 of the text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
