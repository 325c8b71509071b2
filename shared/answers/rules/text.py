"""Texts: the same words with the same signs agree. Signs that mean something are never left out.

A "no" needs texts that are alike but for signs or numbers whose change always makes another text; other words may mean
the same.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from schemas.item import Agreement
from shared.answers.normal import plain
from shared.answers.reading.tokens import SUBSCRIPTS, SUPERSCRIPTS
from shared.answers.reading.tree import words

_TYPOGRAPHY = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "−": "-",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "﹣": "-",
        "－": "-",
        "∗": "*",
        "∼": "~",
        "∣": "|",
        "⋅": "·",
        "∙": "·",
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
        "ﬁ": "fi",
        "ﬂ": "fl",
    }
)
_COMMANDS = {
    "land": "∧",
    "wedge": "∧",
    "lor": "∨",
    "vee": "∨",
    "lnot": "¬",
    "neg": "¬",
    "to": "→",
    "rightarrow": "→",
    "leftarrow": "←",
    "leftrightarrow": "↔",
    "Rightarrow": "⇒",
    "Leftrightarrow": "⇔",
    "oplus": "⊕",
    "otimes": "⊗",
    "forall": "∀",
    "exists": "∃",
    "in": "∈",
    "notin": "∉",
    "cup": "∪",
    "cap": "∩",
    "le": "≤",
    "leq": "≤",
    "ge": "≥",
    "geq": "≥",
    "ne": "≠",
    "neq": "≠",
    "times": "×",
    "cdot": "·",
    "pm": "±",
    "sqrt": "√",
    "partial": "∂",
    "nabla": "∇",
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "lambda": "λ",
    "mu": "μ",
    "pi": "π",
    "sigma": "σ",
    "omega": "ω",
    "theta": "θ",
    "phi": "φ",
    "psi": "ψ",
    "rho": "ρ",
    "tau": "τ",
    "Delta": "Δ",
    "Sigma": "Σ",
    "Omega": "Ω",
    "Theta": "Θ",
    "rightleftharpoons": "⇌",
    "langle": "⟨",
    "rangle": "⟩",
    "epsilon": "ε",
    "eta": "η",
    "kappa": "κ",
    "_": "_",
    "&": "&",
    "%": "%",
    "#": "#",
    "$": "$",
    "{": "{",
    "}": "}",
    ",": " ",
    " ": " ",
    ";": " ",
    "infty": "∞",
    "emptyset": "∅",
    "|": "‖",
    "Vert": "‖",
}
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|textit|emph|mathbf|textrm|mbox|operatorname)\s*\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)\s?")
_RUNS = ((SUPERSCRIPTS, "^"), (SUBSCRIPTS, "_"))
_ARROWS = (("<->", "↔"), ("<=>", "⇔"), ("->", "→"), ("=>", "⇒"), ("<-", "←"))
_HARD = frozenset("∧∨¬→←↔⇌⇒⇔⊕⊗∀∃∈∉∪∩⊂⊆∖√∂∇×·<>=≤≥≠±∓+*^|~⟨⟩_∥‖∘∫∑∏@≈≡∞")
"""Signs whose loss or change makes another text."""
_BRACKETS, _QUOTES = frozenset("()[]{}"), frozenset("'\"")
_SYNONYMS = (
    {"&", "∧"},
    {"|", "∨"},
    {"~", "¬"},
    {"!", "¬"},
    {"⇒", "→"},
    {"⇔", "↔"},
    {"≡", "↔"},
    {"=", "≡"},
    {"^", "∧"},
    {"v", "∨"},
    {"⊃", "→"},
    {"/", "÷"},
    {"~", "≈"},
    {"=", "≈"},
    {"·", "."},
    {"⇔", "≡"},
    {"+", "∨"},
    {"·", "∧"},
    {"+", "⊕"},
)
_MULTIPLIES = frozenset("×·*")
_NUMERAL = re.compile(r"\d+(?:\.\d+|/\d+|[eE]\d+)?")
_DECIMAL = re.compile(r"\d+\.\d+")
_ARTICLE = re.compile(r"^(?:the|an?) ", re.IGNORECASE)
_STOP = ".,"
_MONTHS = {
    name: at
    for at, name in enumerate(
        words("january february march april may june july august september october november december"), 1
    )
}
_DATES = (
    re.compile(r"(?P<d>\d{1,2})(?:st|nd|rd|th)?(?: of)? (?P<m>[a-z]+),? (?P<y>\d{3,4})"),
    re.compile(r"(?P<m>[a-z]+) (?P<d>\d{1,2})(?:st|nd|rd|th)?,? (?P<y>\d{3,4})"),
    re.compile(r"(?P<y>\d{4})-(?P<n>\d{2})-(?P<d>\d{2})"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """`letters`: letters and digits alone, in order; `signs`: other characters, and how many letters precede each."""

    letters: str
    words: tuple[str, ...]
    signs: tuple[tuple[str, int], ...]
    written: str


def compare_texts(key: str, answer: str) -> tuple[Agreement, str]:
    """Whether two texts say the same, and why that is open."""
    one, other = plain(key), plain(answer)
    if _NUMERAL.fullmatch(one) and _NUMERAL.fullmatch(other):
        return _numerals(one, other)
    if (dates := [_date(side) for side in (one, other)])[0] and dates[1]:
        return ("yes" if dates[0] == dates[1] else "no"), ""
    left, right = read_text(one), read_text(other)
    if left is None or right is None:
        return "unsure", "a command that is not read"
    if left.letters.casefold() != right.letters.casefold():
        return _other_letters(left, right)
    signs = Counter(left.signs), Counter(right.signs)
    apart = set((signs[0] - signs[1]) + (signs[1] - signs[0])) or _reordered(left, right)
    if apart:
        agrees = _other_signs(left, right, apart)
        if agrees != "yes":
            return agrees, "a sign differs" if agrees == "unsure" else ""
    if _folded(left.words) != _folded(right.words):
        return "unsure", "words are parted otherwise"
    if _capitals_matter(left, right):
        return "unsure", "capitals differ"
    return "yes", ""


def read_text(text: str) -> Text | None:
    """Letters, words and signs of a text; None where it holds a LaTeX command that is not listed."""
    text = unicodedata.normalize("NFC", _ARTICLE.sub("", _TEXT_COMMAND.sub(r"\1", text))).translate(_TYPOGRAPHY)
    for table, mark in _RUNS:
        pattern = f"[{''.join(map(re.escape, table))}]+"
        text = re.sub(pattern, lambda run, t=table, m=mark: m + "".join(t[char] for char in run[0]), text)  # type: ignore[misc]
    text = re.sub(r"([_^])\{([^{}]*)\}", r"\1\2", text)
    unknown = False

    def command(result: re.Match[str]) -> str:
        nonlocal unknown
        unknown = unknown or result[1] not in _COMMANDS
        return _COMMANDS.get(result[1], "")

    text = _COMMAND.sub(command, text)
    if unknown:
        return None
    for arrow, sign in _ARROWS:
        text = text.replace(arrow, sign)
    text = re.sub(r"_(?=\d)", "", text.strip().strip("*" if text.startswith("**") and text.endswith("**") else ""))
    return _read(text if text.endswith("..") else text.rstrip(_STOP).strip())


def _read(text: str) -> Text:
    letters: list[str] = []
    parts: list[str] = [""]
    signs: list[tuple[str, int]] = []
    for char in text:
        if char.isspace():
            parts.append("")
        elif char.isalnum() or unicodedata.category(char)[0] == "M":
            letters.append(char)
            parts[-1] += char
        else:
            if char not in _QUOTES:
                parts.append("")
            signs.append((char, len(letters)))
    return Text("".join(letters), tuple(filter(None, parts)), tuple(signs), text)


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in parts)


def _numerals(one: str, other: str) -> tuple[Agreement, str]:
    """Written digits count: 00101 is not 101. Two decimals may be one value rounded."""
    if one == other:
        return "yes", ""
    if _DECIMAL.fullmatch(one) and _DECIMAL.fullmatch(other) and abs(float(one) - float(other)) <= 0.1 * float(one):
        return "unsure", "decimals that may be roundings"
    return "no", ""


def _reordered(left: Text, right: Text) -> set[tuple[str, int]]:
    """Signs at one place in another order: `)(` is not `()`."""
    return {one for one, other in zip(left.signs, right.signs, strict=True) if one != other}


def _other_signs(left: Text, right: Text, apart: set[tuple[str, int]]) -> Agreement:
    kinds = {sign for sign, _ in apart}
    places: dict[int, set[str]] = {}
    for sign, at in apart:
        places.setdefault(at, set()).add(sign)
    if any(pair in _SYNONYMS for pair in places.values()) or "&" in kinds:
        return "unsure"
    digits = any(at and at < len(left.letters) and left.letters[at - 1 : at + 1].isdigit() for _, at in apart)
    if kinds <= _MULTIPLIES and digits:
        return "unsure"
    if kinds & _HARD:
        return "no"
    formal = not any(len(word) > 3 for word in left.words + right.words)
    both = all(any(sign in _BRACKETS for sign, _ in side.signs) for side in (left, right))
    if kinds & _BRACKETS and (formal or all(side.written[0] in _BRACKETS for side in (left, right))):
        return "no" if both or (len(left.letters) > 1 and not _around(left, right)) else "unsure"
    if kinds & _QUOTES and kinds <= _QUOTES | {","}:
        return "no" if formal and (both or left.letters.isdigit()) else "unsure"
    if kinds == {"-"}:
        return _hyphens(left, right)
    return "unsure"


def _around(left: Text, right: Text) -> bool:
    """Whether one is the other in brackets."""
    return any(one.written[1:-1].strip() == other.written for one, other in ((left, right), (right, left)))


def _hyphens(left: Text, right: Text) -> Agreement:
    """Between words a hyphen is a space; between single letters it may be a stress, a bond or a step."""
    if all(len(word) == 1 for word in left.words + right.words):
        same = len(left.signs) == len(right.signs) > 2
        return "no" if same else "unsure"
    inner = all(0 < at < len(side.letters) for side in (left, right) for sign, at in side.signs if sign == "-")
    digits = any(char.isdigit() for char in left.letters)
    return "yes" if inner and not digits and _folded(left.words) == _folded(right.words) else "unsure"


def _other_letters(left: Text, right: Text) -> tuple[Agreement, str]:
    if _without_marks(left.letters) == _without_marks(right.letters) and left.signs == right.signs:
        marks = _marks(left.letters) ^ _marks(right.letters)
        phonetic = any("\u0250" <= char <= "\u02af" for char in left.letters + right.letters)
        if marks and all(_distinctive(char, phonetic) for _, char in marks):
            return "no", ""
        return "unsure", "marks on letters differ"
    one, other = (re.sub(r"\d+", "#", side.written.casefold()) for side in (left, right))
    if one == other and "#" in one:
        numbers = [re.findall(r"\d+", side.written) for side in (left, right)]
        parted = any(re.search(r"\d[.,/]\d|\d:(?!\d\d(?!\d))|\d \d{3}(?!\d)", side.written) for side in (left, right))
        zeros = any(int(a) == int(b) and a != b for a, b in zip(*numbers, strict=True))
        if not parted and not zeros:
            return "no", ""
    return "unsure", "different words may mean the same"


def _without_marks(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char)[0] != "M")


def _marks(text: str) -> frozenset[tuple[int, str]]:
    """Combining marks that Unicode has no letter for, and the vowel signs of Indian scripts, with their place."""
    return frozenset((at, char) for at, char in enumerate(text) if unicodedata.category(char)[0] == "M") | frozenset(
        (at, char) for at, char in enumerate(text) if unicodedata.decomposition(char)
    )


def _distinctive(char: str, phonetic: bool) -> bool:
    """Whether nobody leaves this mark out: vowel signs of Indian scripts, and the marks of phonetic writing.

    Accents, vowel points of Semitic scripts and tone marks are left out often.
    """
    if "\u0900" <= char <= "\u0dff":
        return True
    common_below = "\u0323\u0326\u0327\u0328\u0331"
    return ("\u0318" <= char <= "\u0338" and char not in common_below) or (phonetic and "\u0300" <= char <= "\u036f")


def _capitals_matter(left: Text, right: Text) -> bool:
    """`Co` is not `CO`, nor a gene its protein; in words of four letters or more capitals are style."""
    if left.letters == right.letters:
        return False
    mixed = any(re.search(r"[^\W\d_]\d|\d[^\W\d_]", word) for word in left.words)
    return len(left.letters) < 4 or mixed or bool(left.signs and not all(sign in "-'.," for sign, _ in left.signs))


def _date(text: str) -> tuple[int, int, int] | None:
    for pattern in _DATES:
        if result := pattern.fullmatch(text.strip(" .").casefold()):
            parts = result.groupdict()
            month = int(parts["n"]) if parts.get("n") else _MONTHS.get(parts["m"], 0)
            day = int(parts["d"])
            return (int(parts["y"]), month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None
    return None
