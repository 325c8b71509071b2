"""How long to wait before another try."""

import secrets

LONGEST_S = 30.0


def backoff(first_s: float, tries: int) -> float:
    """Seconds to wait after `tries` failed tries: doubling up to half a minute, between half and all of it."""
    whole = min(first_s * 2.0 ** (tries - 1), LONGEST_S)
    return float(whole) * (0.5 + secrets.randbelow(1000) / 2000)
