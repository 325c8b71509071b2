"""Random numbers without state: they depend only on a name, not on the order of draws."""

import hashlib
import math
from random import Random


def seeded_random(*name: object) -> Random:
    """Return a generator seeded by the name: the same name gives the same numbers in every process and machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, name)).encode(), digest_size=16).digest()
    return Random(int.from_bytes(digest, "big"))  # noqa: S311 - a simulation, not a secret


def logistic(x: float) -> float:
    """Return the probability of success for `x` = ability − difficulty (Rasch model of item response theory)."""
    return 1 / (1 + math.exp(-x))
