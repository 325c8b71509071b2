r"""Sets, tuples, intervals and matrices: an answer as a tree of what stands between its brackets.

\{1, 2\}   (a, b, c)   [0, 1)   (-\infty, 0] \cup [1, 2]   [[1, 2], [3, 4]]
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
"""

import re
from dataclasses import dataclass
from typing import Literal, Union

from shared.answers.normal import plain

Kind = Literal["set", "list", "union", "matrix", "bare"]
Tree = Union[str, "Shape"]

_MATRIX = re.compile(r"\\begin\{([pbB]?)matrix\}(.*)\\end\{\1matrix\}", re.DOTALL)
_DOLLARS = re.compile(r"^\s*\$+|\$+\s*\.?\s*$|\\left(?![A-Za-z])|\\right(?![A-Za-z])")
_UNION = re.compile(r"\\cup(?![A-Za-z])|∪")
_BRACES = (("\\{", "⦃"), ("\\}", "⦄"), ("\\lbrace", "⦃"), ("\\rbrace", "⦄"))
_GROUPED = re.compile(r"\d,\d{3}(?!\d)")
_OPEN, _CLOSE = "([{⦃", ")]}⦄"


@dataclass(frozen=True, slots=True)
class Shape:
    """`brackets` are the outer two; the parts of a matrix are its rows, of a union its intervals."""

    kind: Kind
    parts: tuple[Tree, ...]
    brackets: str = ""


def read_shape(answer: str, bare: bool = False) -> Tree:
    """The tree of an answer; a text where it is none. `bare`: commas alone make a list."""
    text = plain(answer)
    if matrix := _MATRIX.fullmatch(_DOLLARS.sub("", answer).strip()):
        rows = [row.split("&") for row in re.split(r"\\\\(?:\[\w+\])?", matrix[2]) if row.strip()]
        return Shape("matrix", tuple(Shape("list", tuple(read_shape(cell) for cell in row)) for row in rows))
    for written, one in _BRACES:
        text = text.replace(written, one)
    if len(pieces := _UNION.split(text)) > 1:
        return Shape("union", tuple(_bracketed(piece.strip()) for piece in pieces))
    tree = _bracketed(text)
    if bare and isinstance(tree, str) and not _GROUPED.search(text) and len(parts := _split(text)) > 1:
        return Shape("bare", tuple(map(_bracketed, parts)))
    return tree


def _bracketed(text: str) -> Tree:
    """A text with one pair of brackets around all of it, as a shape."""
    if len(text) < 2 or text[0] not in "([⦃{" or text[-1] not in ")]⦄}" or not _whole(text):
        return _written(text)
    inner = text[1:-1].strip()
    parts = tuple(map(_bracketed, _split(inner))) if inner else ()
    if text[0] in "⦃{" and text[-1] in "⦄}":
        return Shape("set", parts)
    if len(parts) < 2 and text[0] == "(":
        return _written(text)  # brackets of an expression
    if text[0] == "[" and parts and len({_width(part) for part in parts}) == 1 and _width(parts[0]):
        return Shape("matrix", tuple(Shape("list", row.parts) for row in parts if isinstance(row, Shape)))
    return Shape("list", parts, text[0] + text[-1])


def _width(part: Tree) -> int:
    return len(part.parts) if isinstance(part, Shape) and part.brackets == "[]" else 0


def _whole(text: str) -> bool:
    """Whether the first bracket is closed by the last one."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0:
            return at == len(text) - 1
    return False


def _split(text: str) -> list[str]:
    """Split at commas and semicolons outside brackets."""
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSE)
        if char in ",;" and depth == 0:
            parts.append(text[begin:at].strip())
            begin = at + 1
    last = text[begin:].strip()
    return [*parts, last] if last else parts


def _written(text: str) -> str:
    return text.replace("⦃", "\\{").replace("⦄", "\\}")
