r"""Where mathematics begins and ends in Markdown, as rules of markdown-it.

In a line `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, `\boxed{…}`; as lines of their own also `\begin{align}…\end{align}` and its
like. A dollar sign before a space, or after one, or before a digit at its end, is money. What does not close within
MAX_CHARS is text. The plug-ins of mdit-py-plugins were left out: they miss `\[…\]` within a paragraph, and take 15 s
for 100 kB of `\(`.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from services.console.mathematics import MAX_CHARS

_DOLLARS = re.compile(r"\$\$((?:[^$\\]|\\.)+)\$\$|\$(?![\s$])((?:[^$\\]|\\.)+)(?<!\s)\$(?!\d)", re.DOTALL)
_CLOSE = {r"\(": r"\)", r"\[": r"\]", "$$": "$$"}
_ENVIRONMENT = re.compile(r"\\begin\{((?:equation|align|alignat|gather|multline|eqnarray|split|displaymath)\*?)\}")
MAX_BOX = 400
"""Longest content of a box that stands without dollar signs."""
_BOXED = r"\boxed{"
_AFTER = ("", ".", ",", ";")
"""What may follow a formula in its last line."""


def add_mathematics(parser: MarkdownIt) -> None:
    """Add tokens `formula` (in a line) and `formula_block`, with the TeX as their content."""
    parser.inline.ruler.before("escape", "formula", _in_line)
    parser.block.ruler.before(
        "fence", "formula_block", _in_block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _in_line(state: StateInline, silent: bool) -> bool:
    begin, text = state.pos, state.src
    if text[begin] == "$":
        found = _DOLLARS.match(text, begin, min(state.posMax, begin + MAX_CHARS))
        if not found:
            return False
        content, end, display = found[1] or found[2], found.end(), found[1] is not None
    else:
        opening = text[begin : begin + 2]
        if text.startswith(_BOXED, begin):
            return _boxed(state, silent)
        if opening not in (r"\(", r"\["):
            return False
        close = text.find(_CLOSE[opening], begin + 2, min(state.posMax, begin + MAX_CHARS))
        if close < 0:
            return False
        content, end, display = text[begin + 2 : close], close + 2, opening == r"\["
    if not silent:
        token = state.push("formula", "", 0)
        token.content, token.meta = content, {"display": display}
    state.pos = end
    return True


def _boxed(state: StateInline, silent: bool) -> bool:
    """A final answer is often in a box, without dollar signs."""
    begin, depth = state.pos, 0
    for end in range(begin + len(_BOXED) - 1, min(state.posMax, begin + MAX_BOX)):
        depth += {"{": 1, "}": -1}.get(state.src[end], 0)
        if depth == 0:
            if not silent:
                token = state.push("formula", "", 0)
                token.content, token.meta = state.src[begin : end + 1], {"display": False}
            state.pos = end + 1
            return True
    return False


def _in_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    begin = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start):
        return False
    if environment := _ENVIRONMENT.match(state.src, begin):
        closing = rf"\end{{{environment[1]}}}"
        inside = begin, len(closing)
    else:
        opening = state.src[begin : begin + 2]
        closing = _CLOSE.get(opening, "") if opening != r"\(" else ""
        inside = begin + 2, 0
    close = state.src.find(closing, begin + 2, begin + MAX_CHARS) if closing else -1
    if close < 0:
        return False
    last = next((line for line in range(start, end) if state.eMarks[line] >= close + len(closing)), None)
    if last is None or (after := state.src[close + len(closing) : state.eMarks[last]].strip()) not in _AFTER:
        return False
    if not silent:
        token = state.push("formula_block", "", 0)
        token.content = state.src[inside[0] : close + inside[1]] + after
        state.line = last + 1
    return True
