r"""The text of a JSON string, and LaTeX in it that stands under a single backslash.

One backslash is ambiguous: `\nu` is a line feed and `u`, or a LaTeX command. It is LaTeX where no text would have the
escape (`\b`, `\f`, an unknown one such as `\a`). For `\n`, `\r` and `\t` it is LaTeX if a command's name follows in
mathematics or in a text of one line, unless the string writes other commands with two backslashes; then only in a
formula `$…$` without other line feeds and tabs. In code, which has lines and tabs, the escapes stay what JSON says.
"""

import re

COMMANDS = (
    "nabla natural ncong ne nearrow neg neq newline nexists ngeq ngeqq ngeqslant ngtr ni nLeftarrow nleftarrow "
    "nleq nleqq nleqslant nless nmid nobreak nolimits nonumber normalsize not notag notin nparallel nprec "
    "npreceq nRightarrow nrightarrow nshortmid nsim nsubseteq nsucc nsucceq nsupseteq ntriangleleft "
    "ntriangleright nu nVdash nvDash nwarrow raise raisebox rangle rank rbrace rbrack rceil real Re ref relax "
    "renewcommand rfloor rgroup rhd rho right rightarrow rightarrowtail rightharpoondown rightharpoonup "
    "rightleftarrows rightleftharpoons rightrightarrows rightsquigarrow rightthreetimes risingdotseq rm "
    "rmoustache root row rowcolor rtimes rule rvert rVert tableofcontents tabular tag tan tanh tau tbinom "
    "tensor text textasciicircum textasciitilde textbackslash textbf textcolor textit textmd textnormal "
    "textquotedbl textrm textsc textsf textsl textstyle textsubscript textsuperscript texttt textup tfrac the "
    "therefore theta thickapprox thicksim thinspace tilde times tiny to top tr trace triangle triangledown "
    "triangleleft trianglelefteq triangleq triangleright trianglerighteq tt twoheadleftarrow twoheadrightarrow "
)
"""LaTeX commands that begin as a JSON escape which text may hold."""

_COMMANDS = frozenset(COMMANDS.split())
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'"}
_LETTERS = re.compile(r"[A-Za-z]+")
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_PLAIN = re.compile(r"[^\\$]+")
_MATHS = re.compile(r"\$\$|\$|\\\\?[()\[\]]")
_INLINE = re.compile(r"(?<![\\$])\$(?=[^\s$])[^$]{1,300}(?<=[^\s$])\$(?![$\d])")
"""An inline formula, by the rules of Pandoc."""
_BEFORE_LATEX = frozenset(" \t([{=+-*/^_,;:|<>&$\"'\\})]")
_WITH_TWO = re.compile(r"(?<!\\)(?:\\\\)+[A-Za-z]{2}")


def unescape(raw: str) -> tuple[str, bool]:
    """The text of a JSON string's inside, and whether a lone backslash was kept for LaTeX."""
    if "\\" not in raw:
        return raw, any(char < " " for char in raw)
    with_two = bool(_WITH_TWO.search(raw))
    plain = with_two or _has_lines(raw)
    formulas = [found for found in _INLINE.finditer(raw) if not _has_lines(found[0])] if with_two else []
    in_formula = {at for found in formulas for at in range(*found.span()) if raw[at] == "\\"}
    out: list[str] = []
    repaired, maths, at = any(char < " " for char in raw), False, 0
    while at < len(raw):
        if found := _PLAIN.match(raw, at):
            out.append(found[0])
            at = found.end()
        elif found := _MATHS.match(raw, at):
            maths = found[0][-1] in "([" or (found[0][-1] == "$" and not maths)
            out.append(found[0].replace("\\\\", "\\"))
            repaired |= found[0].startswith("\\") and not found[0].startswith("\\\\")
            at = found.end()
        else:
            text, length, lone = _escape(raw, at, at in in_formula or (maths and not with_two), plain)
            out.append(text)
            repaired |= lone
            at += length
    return "".join(out), repaired


def _escape(raw: str, at: int, maths: bool, plain: bool) -> tuple[str, int, bool]:
    """What an escape means, its length, and whether it is a lone backslash of LaTeX."""
    char = raw[at + 1 : at + 2]
    word = found[0] if (found := _LETTERS.match(raw, at + 1)) else ""
    if char in ("b", "f") and len(word) > 1:
        return "\\", 1, True
    if char in ("n", "r", "t") and word in _COMMANDS and _is_latex(raw, at, maths, plain):
        return "\\", 1, True
    if char == "u":
        return _code_point(raw, at) if _HEX.match(raw, at + 2) else ("\\", 1, True)
    if char in _ESCAPES:
        return _ESCAPES[char], 2, char == "'"
    return "\\", 1, True


def _code_point(raw: str, at: int) -> tuple[str, int, bool]:
    r"""`\uXXXX`, or two of them for one character; half of a pair becomes the replacement character."""
    high = int(raw[at + 2 : at + 6], 16)
    if 0xD800 <= high < 0xDC00 and raw[at + 6 : at + 8] == "\\u" and _HEX.match(raw, at + 8):
        low = int(raw[at + 8 : at + 12], 16)
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12, False
    return ("\ufffd", 6, True) if 0xD800 <= high < 0xE000 else (chr(high), 6, False)


def _is_latex(raw: str, at: int, maths: bool, plain: bool) -> bool:
    return maths or (not plain and (at == 0 or raw[at - 1] in _BEFORE_LATEX))


def _has_lines(raw: str) -> bool:
    """Whether a line feed or tab stands where no LaTeX command could: then the text is of several lines."""
    escapes = re.finditer(r"(?<!\\)(?:\\\\)*\\([nrt])([A-Za-z]*)", raw)
    return "\n" in raw or any(found[1] + found[2] not in _COMMANDS for found in escapes)
