"""What of a problem is remembered, to know it again in other words.

Two problems are one when their clauses are nearly the same, whatever the variables are called and in whatever order
they come, and their numbers (units converted) and keys are the same. How nearly depends on the key: one that a guess
may hit proves little.
"""

import re
from hashlib import blake2b
from struct import pack
from zlib import crc32

from rensa import RMinHash

from schemas.identity import normal_form
from schemas.item import Problem
from shared.ports import TextFingerprint
from shared.stats.guessing import guess_probability
from shared.text.quantities import quantities
from shared.text.words import nameless, pairs

FEATURES = f"1.{RMinHash.ALGORITHM_VERSION}"
"""Version of all that is computed here: another one needs another index, made anew from the log."""
WORDED = f"{FEATURES}.worded"
"""The same with statements."""

BANDS, ROWS = 16, 4
"""Of the MinHash. Texts that share 70 % of their pairs meet in a band with a chance of 99 %; 85 %: always."""
NEAR, NEAR_BY_LUCK = 0.85, 0.95
"""Share of common pairs from which equal numbers and an equal key make two problems one; the second is for keys that
a guess may hit."""

_SIGNS = re.compile(r"(?<![A-Za-z])[-+−]|[<>]")


def fingerprint(problem: Problem, *, worded: bool = False) -> TextFingerprint:
    """Compute it; with the text where meanings are compared. The statement is not empty."""
    said, key = quantities(problem.statement), quantities(problem.answer)
    shingles = pairs(said.text)
    signs = "".join(sorted(_SIGNS.findall(said.text)))
    return TextFingerprint(
        text=_digest(normal_form(problem.statement)),
        figures=_digest(signs, *sorted(said.values)),
        written=_digest(signs, *sorted(said.written)),
        key=_digest(*key.values, *nameless(key.text)),
        near=NEAR_BY_LUCK if guess_probability(problem.answer) else NEAR,
        shingles=b"".join(pack(">I", number) for number in sorted({crc32(one.encode()) for one in shingles})),
        bands=_bands(sorted(shingles)),
        statement=problem.statement if worded else "",
    )


def _bands(shingles: list[str]) -> tuple[bytes, ...]:
    hashes = RMinHash(num_perm=BANDS * ROWS, seed=1)
    hashes.update(shingles)
    digest = hashes.digest()
    starts = range(0, BANDS * ROWS, ROWS)
    return tuple(_digest(number, *digest[start : start + ROWS]) for number, start in enumerate(starts))


def _digest(*parts: object) -> bytes:
    return blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
