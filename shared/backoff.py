"""How long to wait before the same is asked again."""

import secrets


def backoff(first_s: float, failed: int, longest_s: float = 30.0) -> float:
    """Seconds to wait after `failed` earlier waits: doubling, with jitter between half and all of it."""
    whole = min(first_s * 2.0 ** min(failed, 30), longest_s)
    return whole * (0.5 + secrets.randbelow(1000) / 2000)
