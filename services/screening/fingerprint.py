"""Fingerprint of a problem, from which a reworded duplicate is recognised.

Two problems are duplicates when their clauses are nearly equal, independent of the order of clauses and the names of
variables, and their numbers (in base units), keys and indented lines are equal. A key that a guess may hit needs a
higher similarity.
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
from shared.text.quantities import read_quantities
from shared.text.words import word_pairs, words_without_names

FEATURES = f"2.{RMinHash.ALGORITHM_VERSION}"
"""Version of the fingerprint. Another version needs another index, which is rebuilt from the log."""
FEATURES_WITH_TEXT = f"{FEATURES}.worded"
"""Version of fingerprints that include the statement."""

BANDS, ROWS = 16, 4
"""Of the MinHash. Texts that share 70 % of their pairs have a common band in 99 % of cases; 85 %: always."""
NEAR, NEAR_IF_GUESSABLE, NEAR_IF_DISTINCTIVE = 0.85, 0.95, 0.6
"""Share of common pairs from which problems with equal numbers and keys are duplicates; the second is for keys that a
guess may hit, the third where numbers and key are too distinctive to agree by chance."""
DISTINCTIVE_NUMBERS, DISTINCTIVE_KEY = 3, 5
"""Numbers of a statement, and characters of its key, from which they do not agree by chance."""

_SIGNS = re.compile(r"(?<![A-Za-z])[-+−]|[<>]")


def fingerprint(problem: Problem, *, with_text: bool = False) -> TextFingerprint:
    """Compute the fingerprint; `with_text` includes the statement. The statement must not be empty."""
    statement, key = read_quantities(problem.statement), read_quantities(problem.answer)
    shingles = word_pairs(statement.text)
    signs = "".join(sorted(_SIGNS.findall(statement.text)))
    layout = _layout(problem.statement)
    return TextFingerprint(
        text=_digest(normal_form(problem.statement), *layout),
        figures=_digest(signs, *sorted(statement.values), *layout),
        written=_digest(signs, *sorted(statement.written), *layout),
        key=_digest(*key.values, *words_without_names(key.text)),
        near=_limit(problem.answer, len(statement.values)),
        shingles=b"".join(pack(">I", number) for number in sorted({crc32(one.encode()) for one in shingles})),
        bands=_bands(sorted(shingles)),
        statement=problem.statement if with_text else "",
    )


def _limit(answer: str, numbers: int) -> float:
    if guess_probability(answer):
        return NEAR_IF_GUESSABLE
    is_distinctive = numbers >= DISTINCTIVE_NUMBERS and len(answer.strip("$ ")) >= DISTINCTIVE_KEY
    return NEAR_IF_DISTINCTIVE if is_distinctive else NEAR


def _layout(statement: str) -> list[str]:
    """The indentation of each line that has any, with the line: code differs by it, prose has none."""
    lines = (line.expandtabs().rstrip() for line in statement.strip().splitlines())
    indented = ((len(line) - len(line.lstrip()), normal_form(line)) for line in lines)
    return [f"{columns} {line}" for columns, line in indented if columns and line]


def _bands(shingles: list[str]) -> tuple[bytes, ...]:
    hashes = RMinHash(num_perm=BANDS * ROWS, seed=1)
    hashes.update(shingles)
    digest = hashes.digest()
    starts = range(0, BANDS * ROWS, ROWS)
    return tuple(_digest(number, *digest[start : start + ROWS]) for number, start in enumerate(starts))


def _digest(*parts: object) -> bytes:
    return blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
