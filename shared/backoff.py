"""Exponential backoff with jitter."""

import secrets


def backoff(first_s: float, retries: int, longest_s: float = 30.0) -> float:
    """Seconds to wait after `retries` earlier waits: doubles each time, with jitter between 50 % and 100 %."""
    full_s = min(first_s * 2.0 ** min(retries, 30), longest_s)
    return full_s * (0.5 + secrets.randbelow(1000) / 2000)
