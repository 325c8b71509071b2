"""Recognises a text in another language than the expected one, by its script and its function words.

Formulas, code and quotations are left out, since mathematics and data have no language. A text whose language cannot be
recognised counts as the expected one, and so does every text where the expected language is not in `languages.txt`.
A statistical detector always chooses a language, also for a short or technical text; function words can be absent.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_NO_PROSE = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)|\\begin\{(\w+\*?)\}.*?\\end\{\1\}|```.*?```|`[^`]*`|\\[A-Za-z]+"
    r"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|»[^«]*«|「[^」]*」|\"[^\"\n]*\"|^(?: {4}|\t|>).*$",
    re.S | re.M,
)
"""Formulas, code, quotations, and indented lines."""
_BEYOND_ASCII = re.compile(r"[^\W\d_\x00-\x7f]")
_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u0900-\u0dff\u200c\u200d][^\W\d_]*)*")

EXPECTED_WORDS = 4
"""Different function words that show a text to be in the expected language, whatever else is in it."""
OTHER_WORDS = 4
"""Different function words that a text in another language has at least."""
MIN_RATIO = 3
"""Least ratio of occurrences of the other language's function words to those of the expected one's."""
SCRIPT_LETTERS = 15
"""Letters of a script that show a text to be written in it."""


@dataclass(frozen=True, slots=True)
class Language:
    """How a language is recognised: by its script alone, or by function words."""

    code: str
    """ISO 639-1."""
    script: str | None
    words: frozenset[str]


@cache
def languages() -> dict[str, Language]:
    """Return the languages that are recognised, by their English names."""
    lines = (Path(__file__).parent / "languages.txt").read_text("utf-8").splitlines()
    rows = (line.split(" | ") for line in lines if not line.startswith("#"))
    return {
        name: Language(code, signs, frozenset()) if signs.isupper() else Language(code, None, frozenset(signs.split()))
        for name, code, signs in rows
    }


def other_language(text: str, expected: str) -> str | None:
    """Return the language of a text that is clearly not the expected one; None otherwise."""
    if (language := languages().get(expected)) is None:
        return None
    prose = unicodedata.normalize("NFC", _NO_PROSE.sub(" ", text)).casefold()
    words, letters = Counter(_WORD.findall(prose)), _letters(prose)
    script = _by_script(letters)
    if language.script and letters[language.script] >= SCRIPT_LETTERS:
        return script if (expected, script) == ("Chinese", "Japanese") else None
    is_expected = len(language.words.intersection(words)) >= EXPECTED_WORDS
    return (None if is_expected or script == expected else script) or _by_words(words, expected)


def _by_script(letters: Counter[str]) -> str | None:
    """Return the language that the script shows; kana show Japanese, also between many Chinese characters."""
    if letters["KANA"] + letters["CJK"] >= SCRIPT_LETTERS and 10 * letters["KANA"] >= letters["CJK"]:
        return "Japanese"
    by_script = ((name, language.script) for name, language in languages().items() if language.script)
    return next((name for name, script in by_script if letters[script] >= SCRIPT_LETTERS), None)


def _by_words(words: Counter[str], expected: str) -> str | None:
    """Return the language of which the text has function words, and hardly any of the expected one."""
    present, found = frozenset(words), Counter[str]()
    for language, others, own in _pairs(expected):
        if len(there := others & present) < OTHER_WORDS or len(here := own & present) >= EXPECTED_WORDS:
            continue
        count = sum(map(words.__getitem__, there))
        if count >= MIN_RATIO * sum(map(words.__getitem__, here)):
            found[language] = count
    return max(found, key=found.__getitem__, default=None)


@cache
def _pairs(expected: str) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """For each other language its words that the expected one does not have, and the reverse."""
    own = languages()[expected].words
    others = ((name, language.words) for name, language in languages().items() if name != expected)
    return [(name, words - own, own - words) for name, words in others]


def _letters(prose: str) -> Counter[str]:
    """Number of letters by script, as the first word of their Unicode names; ASCII letters are not counted."""
    scripts = (unicodedata.name(char, "").partition(" ")[0] for char in _BEYOND_ASCII.findall(prose))
    return Counter("KANA" if script in ("HIRAGANA", "KATAKANA") else script for script in scripts)
