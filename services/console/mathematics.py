r"""TeX to MathML: what the library reads whole and what is on the allow-list; the rest is shown as its source.

latex2mathml alone is unsafe: it passes `\href{javascript:…}` and markup inside `\text{…}`, and raises RecursionError
on deep braces. Here its tree is read as data: text is escaped, and one element, attribute or value that is not listed
makes the whole formula its source. `services.console.text` sanitises the page once more.
"""

import re
from functools import lru_cache
from html import escape, unescape
from itertools import accumulate
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import convert_to_element

MAX_CHARS = 4000
"""Longest formula that is converted."""
MAX_DEPTH = 40
"""Deepest braces that are converted."""
MAX_MATHML = 50_000
"""Longest result."""

_MATHML = ' xmlns="http://www.w3.org/1998/Math/MathML"'
_LENGTH = re.compile(r"[+-]?\d{0,2}(\.\d{1,4})?(em|ex|px|pt|in|mu|%)?|(very)?(very)?(thin|medium|thick)mathspace")
_WORD = re.compile(r"[a-z -]{1,40}")

ELEMENTS = frozenset(
    (
        *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose"),
        *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts"),
        *("mprescripts", "none", "mtable", "mtr", "mlabeledtr", "mtd"),
    )
)
_WORDS = frozenset(
    (
        *("display", "displaystyle", "mathvariant", "stretchy", "fence", "form", "separator", "accent", "accentunder"),
        *("largeop", "movablelimits", "symmetric", "notation", "linebreak"),
        *("columnalign", "rowalign", "columnlines", "rowlines"),
    )
)
_LENGTHS = frozenset(
    (
        *("width", "height", "depth", "lspace", "rspace", "voffset", "minsize", "maxsize"),
        *("linethickness", "scriptlevel", "rowspacing", "columnspacing"),
    )
)
ATTRIBUTES = _WORDS | _LENGTHS
_ALIGNED = {"{aligned}": "{align*}", "{gathered}": "{gather*}", "{alignedat}": "{alignat}"}
"""Environments that stand inside a formula, as the library knows them."""


@lru_cache(maxsize=1000)
def mathml(tex: str, *, block: bool = False) -> str:
    """A formula as MathML, or its source in `<code>` where it cannot be read whole."""
    tex = tex.strip()
    return _converted(tex, block) or f'<code class="tex">{escape(tex)}</code>'


def _converted(tex: str, block: bool) -> str | None:
    if not tex or len(tex) > MAX_CHARS or _depth(tex) > MAX_DEPTH:
        return None
    for theirs, ours in _ALIGNED.items():
        tex = tex.replace(theirs, ours)
    try:
        root = convert_to_element(tex, display="block" if block else "inline")
    except Exception:  # noqa: BLE001 - a model wrote it: whatever the library raises means that it cannot read it
        return None
    if not all(map(_is_known, root.iter())):
        return None
    made = tostring(root, encoding="unicode")
    return made.replace(_MATHML, "", 1) if len(made) <= MAX_MATHML else None


def _depth(tex: str) -> int:
    steps = ({"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(sign, 0) for sign in tex)
    environments = tex.count(r"\begin") + tex.count(r"\left")
    return max(accumulate(steps), default=0) + environments // 4


def _is_known(element: Element) -> bool:
    """Whether an element may stand in a page; turns the library's character references into characters."""
    element.text = unescape(element.text or "")
    unread = "\\" in element.text or (element.tag == "mi" and element.text in ("&", "{", "}"))
    is_listed = all(_is_value(name, value) for name, value in element.attrib.items() if name != "xmlns")
    return element.tag in ELEMENTS and is_listed and not unread


def _is_value(name: str, value: str) -> bool:
    if name in _LENGTHS:
        return all(map(_LENGTH.fullmatch, value.split()))
    return name in _WORDS and bool(_WORD.fullmatch(value))
