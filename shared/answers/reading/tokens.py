"""Tokens of a formula, from LaTeX, Unicode or plain text. A character or command that is not listed here is unread."""

import re
from dataclasses import dataclass
from fractions import Fraction

from shared.answers.reading.tree import Unread, words
from shared.answers.units import read_unit

LONGEST = 1000
"""Characters of a formula that is read."""

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵏᵐᵗᵃᵇˣᵀ", "0123456789+-=()nikmtabxT", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢₖₘₓₐⱼ", "0123456789+-=()nikmxaj", strict=True))
FRACTIONS = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
    "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8),
    "⅑": (1, 9), "⅒": (1, 10),
}  # fmt: skip
_SMALL = words(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega"
)
_CAPITAL = words("Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega")
GREEK = {
    **dict(zip("αβγδεζηθικλμνξπρστυφχψω", _SMALL, strict=True)),
    **dict(zip("ΓΔΘΛΞΠΣΦΨΩ", _CAPITAL, strict=True)),
    "µ": "mu", "ϕ": "phi", "ϵ": "epsilon", "ϑ": "theta", "ς": "varsigma",
}  # fmt: skip
_VARIANTS = {"varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta", "varrho": "rho", "varkappa": "kappa"}

SIGNS = {
    **dict.fromkeys("−‐‑﹣－–", "-"), "＋": "+", "×": "times", "✕": "times", "·": "cdot", "⋅": "cdot", "∙": "cdot",
    "∗": "*", "÷": "/", "∕": "/", "≤": "<=", "⩽": "<=", "≥": ">=", "⩾": ">=", "≠": "!=", "±": "pm", "∓": "mp",
    "∞": "inf", "∪": "cup", "∩": "cap", "∖": "setminus", "∈": "in", "∉": "notin", "⊂": "subset", "⊆": "subseteq",
    "→": "to", "←": "gets", "↔": "iff", "⇒": "implies", "⇔": "iff", "∧": "and", "∨": "or", "¬": "not", "⊕": "oplus",
    "⊗": "otimes", "∀": "forall", "∃": "exists", "∅": "emptyset", "∇": "nabla", "∂": "partial", "√": "sqrt",
    "∛": "cbrt", "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil", "⌉": "rceil", "⟨": "langle", "⟩": "rangle", "∥": "norm",
    "≈": "approx", "≡": "equiv", "∼": "sim", "ℝ": "bb:R", "ℤ": "bb:Z", "ℕ": "bb:N", "ℚ": "bb:Q", "ℂ": "bb:C",
    "𝔽": "bb:F", "ℏ": "hbar", "∘": "circ", "°": "degree", "′": "'", "’": "'", "″": "''", "∣": "|", "ℓ": "ell",
    "⋂": "cap", "⋃": "cup", "∑": "sum", "∏": "prod", "⟶": "to",
}  # fmt: skip
"""Characters that are another token; look-alikes of the minus are a minus."""

_AS_NAMED = words(
    "times cdot frac sqrt binom pm mp cup cap setminus in notin subset subseteq to gets iff implies and or "
    "not oplus otimes forall exists emptyset nabla partial lfloor rfloor lceil rceil langle rangle approx "
    "equiv sim hbar circ prime top dagger ell sum prod pmod bmod mod mid ast sin cos tan cot sec csc arcsin "
    "arccos arctan sinh cosh tanh coth exp ln log lg gcd lcm max min det"
)
COMMANDS = {
    **{name: name for name in GREEK.values()},
    **_VARIANTS,
    **{name: name for name in _AS_NAMED},
    "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">",
    "ne": "!=", "neq": "!=", "infty": "inf", "div": "/", "land": "and", "wedge": "and", "lor": "or", "vee": "or",
    "lnot": "not", "neg": "not", "rightarrow": "to", "longrightarrow": "to", "leftarrow": "gets",
    "leftrightarrow": "iff", "Leftrightarrow": "iff", "Rightarrow": "implies", "varnothing": "emptyset",
    "lbrace": "\\{", "rbrace": "\\}", "lbrack": "[", "rbrack": "]", "vert": "|", "lvert": "|", "rvert": "|",
    "Vert": "norm", "lVert": "norm", "rVert": "norm", "degree": "degree", "backslash": "setminus", "choose": "choose",
    "dots": "dots", "ldots": "dots", "cdots": "dots", "intercal": "top", "arcsinh": "arsinh", "colon": ":",
}  # fmt: skip
_DROPPED = frozenset(
    words(
        "left right displaystyle textstyle limits mathstrut big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr "
        "Biggl Biggr middle nolimits"
    )
)
_SPACES = frozenset(["quad", "qquad", ",", ";", ":", "!", ">", "space"]) | {" "}
FONTS = {
    "mathbf": "bold", "boldsymbol": "bold", "bm": "bold", "vec": "vec", "hat": "hat", "widehat": "hat", "bar": "bar",
    "overline": "bar", "tilde": "tilde", "widetilde": "tilde", "mathbb": "bb", "mathcal": "cal", "mathfrak": "frak",
    "mathscr": "scr", "dot": "dot", "ddot": "ddot", "mathrm": "rm", "text": "text", "textrm": "text", "mathit": "it",
    "operatorname": "fn", "textbf": "text", "textit": "text", "mbox": "text", "mathsf": "sf",
}  # fmt: skip
_KNOWN = words(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth sech csch arsinh arcosh artanh exp ln "
    "log lg sqrt gcd lcm max min det pi mod erf and or alpha beta gamma theta lambda sigma omega phi infinity "
    "binom factorial Gamma floor ceil abs Theta Omega"
)
WORDS = {
    **{name: name for name in _KNOWN},
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "infinity": "inf", "inf": "inf", "oo": "inf",
    "asinh": "arsinh", "acosh": "arcosh", "atanh": "artanh",
}  # fmt: skip
"""Words of plain text that are one token."""

_NUMBER = re.compile(r"\d+(?:\{,\}\d{3})+(?:\.\d+)?|\d+(?:\\,\d{3})+(?!\d)|\d+(?:\.\d+)?(?!\.\d)|\.\d+")
_E = re.compile(r"[eE]([+-]?\d{1,4})(?![\d.A-Za-z])")
_REPEATING = re.compile(r"(\d+)\.(\d*)(?:\\overline\{(\d+)\}|\\bar\{?(\d+)\}?|((?:\d[̅̄])+)|\((\d+)\))(?!\d)")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_BRACES = re.compile(r"\s*\{([^{}]*)\}")
_LETTERS = re.compile(r"[A-Za-z]+")
_UNIT = re.compile(r"\s+([A-Za-zµΩÅ][A-Za-zµΩÅ\s/*^{}()\d-]*?)\s*(?=[,;)\]]|\\\}|$)")
"""A unit behind a number, up to the end of an element."""
_SLASHED = re.compile(r"(\d+)⁄(\d+)")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: num, name (a letter or a known word), mark (everything else)."""

    kind: str
    text: str
    spaced: bool = False
    """Whether a space stands before it."""
    value: Fraction = Fraction(0)
    half_step: Fraction = Fraction(0)
    digits: int = 0


def tokenize(text: str) -> list[Token]:
    """Every character of a text as a token. Raises Unread for one that has no place in a formula."""
    if len(text) > LONGEST:
        raise Unread("too long")
    result: list[Token] = []
    at, spaced = 0, False
    while at < len(text):
        if text[at] in " \t\n\u00a0\u2009\u202f":
            at, spaced = at + 1, True
            continue
        at, tokens, space = _next(text, at)
        for one in tokens:
            result.append(Token(one.kind, one.text, spaced, one.value, one.half_step, one.digits))
            spaced = False
        spaced = spaced or space
    return result


def _next(text: str, at: int) -> tuple[int, list[Token], bool]:  # noqa: C901 - one branch for each kind
    char = text[at]
    if "\uff01" <= char <= "\uff5e":
        return _next(text[:at] + chr(ord(char) - 0xFEE0) + text[at + 1 :], at)
    if (char.isascii() and char.isdigit()) or (char == "." and text[at + 1 : at + 2].isdigit()):
        return _number(text, at)
    if char in SUPERSCRIPTS or char in SUBSCRIPTS:
        return _script(text, at)
    if char in FRACTIONS:
        return at + 1, [Token("num", char, value=Fraction(*FRACTIONS[char]))], False
    if char == "\\":
        return _command(text, at)
    if char in GREEK:
        return at + 1, [Token("name", GREEK[char])], False
    if char in SIGNS:
        name = SIGNS[char]
        return at + 1, [Token("name" if name[:3] == "bb:" or name in {"hbar", "ell"} else "mark", name)], False
    if letters := _LETTERS.match(text, at):
        return letters.end(), _letters(letters[0]), False
    if text.startswith("**", at):
        return at + 2, [Token("mark", "^")], False
    for two in ("<=>", "<=", ">=", "!=", "->", "=>", "=="):
        if text.startswith(two, at) and not (two == "!=" and text[at - 1 : at] == "!"):
            name = {"->": "to", "=>": "implies", "<=>": "iff", "==": "="}.get(two, two)
            return at + len(two), [Token("mark", name)], False
    if char in "+-*/^_(){}[],;:=<>!|&'%":
        return at + 1, [Token("mark", char)], False
    raise Unread(f"unread character {char!r}")


def _number(text: str, at: int) -> tuple[int, list[Token], bool]:
    if repeating := _REPEATING.match(text, at):
        whole, head = repeating[1], repeating[2]
        period = next(part for part in repeating.groups()[2:] if part)
        period = re.sub("[̅̄]", "", period)
        value = Fraction(int(whole + head + period) - int(whole + head), 10 ** len(head) * (10 ** len(period) - 1))
        return repeating.end(), [Token("num", repeating[0], value=value)], False
    if slashed := _SLASHED.match(text, at):
        if not int(slashed[2]):
            raise Unread("division by zero")
        return slashed.end(), [Token("num", slashed[0], value=Fraction(int(slashed[1]), int(slashed[2])))], False
    result = _NUMBER.match(text, at)
    if result is None:
        raise Unread("a number with several points")
    end, written = result.end(), re.sub(r"\{,\}|\\,", "", result[0])
    if text[end : end + 1] in FRACTIONS:
        if "." in written:
            raise Unread("a decimal before a fraction")
        value = int(written) + Fraction(*FRACTIONS[text[end]])
        return end + 1, [Token("num", text[at : end + 1], value=value)], False
    whole, _, decimals = written.partition(".")
    scale = Fraction(1)
    if exponent := _E.match(text, end):
        end, scale = exponent.end(), Fraction(10) ** int(exponent[1])
    value = Fraction(int(whole + decimals or "0"), 10 ** len(decimals)) * scale
    half = Fraction(1, 2 * 10 ** len(decimals)) * scale if decimals else Fraction(0)
    digits = len((whole + decimals).lstrip("0")) if decimals else 0
    tokens = [Token("num", text[at:end], value=value, half_step=half, digits=digits)]
    if (unit := _UNIT.match(text, end)) and len(unit[1]) > 1 and read_unit(unit[1]):
        return unit.end(1), [*tokens, Token("mark", f"unit:{unit[1]}")], False
    return end, tokens, False


def _script(text: str, at: int) -> tuple[int, list[Token], bool]:
    table, mark = (SUPERSCRIPTS, "^") if text[at] in SUPERSCRIPTS else (SUBSCRIPTS, "_")
    end = at
    while end < len(text) and text[end] in table:
        end += 1
    inner = tokenize("".join(table[char] for char in text[at:end]))
    return end, [Token("mark", mark), Token("mark", "{"), *inner, Token("mark", "}")], False


def _letters(run: str) -> list[Token]:
    if run in WORDS:
        return [Token("name", WORDS[run])]
    if len(run) > 3:
        raise Unread(f"a word: {run}")
    return [Token("name", letter) for letter in run]


def _command(text: str, at: int) -> tuple[int, list[Token], bool]:  # noqa: C901 - one branch for each kind
    result = _COMMAND.match(text, at)
    if result is None:
        raise Unread("a backslash at the end")
    name, end = result[1], result.end()
    if name in _DROPPED:
        return (end + 1 if text[end : end + 1] == "." else end), [], False
    if name in _SPACES:
        return end, [], True
    if name in {"dfrac", "tfrac", "cfrac"}:
        return end, [Token("mark", "frac")], False
    if name in {"dbinom", "tbinom"}:
        return end, [Token("mark", "binom")], False
    if name in FONTS:
        return _font(text, end, FONTS[name])
    if name in "{}|%":
        return end, [Token("mark", {"{": "\\{", "}": "\\}", "|": "norm", "%": "%"}[name])], False
    if name == "\\":
        return end, [Token("mark", "\\\\")], False
    if name in {"begin", "end"}:
        braces = _BRACES.match(text, end)
        if braces is None or braces[1] not in {"pmatrix", "bmatrix", "Bmatrix", "matrix", "vmatrix"}:
            raise Unread("an environment that is not a matrix")
        return braces.end(), [Token("mark", f"{name}:{braces[1]}")], False
    if name not in COMMANDS:
        raise Unread(f"unread command \\{name}")
    word = COMMANDS[name]
    is_known = word in GREEK.values() or word in WORDS.values() or word in {"hbar", "ell"}
    return end, [Token("name" if is_known and word not in {"and", "or", "inf", "mod"} else "mark", word)], False


def _font(text: str, at: int, font: str) -> tuple[int, list[Token], bool]:
    braces = _BRACES.match(text, at)
    if braces:
        inner, end = braces[1].strip(), braces.end()
    else:
        bare = re.compile(r"\s*(\\[A-Za-z]+|[A-Za-z])").match(text, at)
        if bare is None:
            raise Unread("a font without its letter")
        inner, end = bare[1], bare.end()
    if font in {"text", "rm", "fn"}:
        if inner in {"and", "or"}:
            return end, [Token("mark", f"text:{inner}")], False
        if re.fullmatch(r"[\d.,\s/+-]*", inner) and font == "text":
            return end, tokenize(inner), False
        if inner in WORDS or (len(inner) == 1 and inner.isalpha() and font != "text"):
            return end, [Token("name", WORDS.get(inner, inner))], False
        raise Unread("words")
    letter = inner.removeprefix("\\")
    if not (inner == letter and len(letter) <= 2 and letter.isalpha()) and COMMANDS.get(letter) not in GREEK.values():
        raise Unread("a font on more than one letter")
    if font == "it":
        return end, [Token("name", one) for one in letter], False
    return end, [Token("name", f"{font}:{COMMANDS.get(letter, letter) if inner != letter else letter}")], False
