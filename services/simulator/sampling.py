"""Chance without state: what a die shows depends on its name alone, never on when it is thrown."""

import hashlib
import math
from random import Random


def seeded_random(*name: object) -> Random:
    """Return a generator seeded by the name: the same name gives the same throws in every process, on every machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, name)).encode(), digest_size=16).digest()
    return Random(int.from_bytes(digest, "big"))  # noqa: S311 - a simulation, not a secret


def logistic(x: float) -> float:
    """Item response theory's one-parameter (Rasch) curve: the chance that ability minus difficulty `x` succeeds."""
    return 1 / (1 + math.exp(-x))
