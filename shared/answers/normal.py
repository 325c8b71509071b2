"""Normal forms: what changes only the look of an answer is taken away, nothing that could change its value."""

import re
from functools import lru_cache

from schemas.identity import normal_form

_LOOKS = (
    (re.compile(r"\\(?:left|right|displaystyle|mathstrut)(?![A-Za-z])"), ""),
    (re.compile(r"\\[dt]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"(?<!\\)\\[ ,;:!>]|\\quad(?![A-Za-z])|(?<=[\w}])~(?=[\w\\{])"), " "),
    (re.compile(r"[−–‑‐﹣－]"), "-"),
    (re.compile(r"([_^])\{(\w)\}(?!\w)"), r"\1\2"),
    (re.compile(r"\\varnothing(?![A-Za-z])|∅"), r"\\emptyset"),
    (re.compile(r"\\(%|\$)"), r"\1"),
    (re.compile(r"\\frac\s*(\d)\s*(\d)"), r"\\frac{\1}{\2}"),
)
_STOP = re.compile(r"(?<!\.)\s*\.$")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_WRAPPED = re.compile(r"(?:\$\$?|\\[(\[])\s*(.*?)\s*(?:\$\$?|\\[)\]])", re.DOTALL)
_SPACES = (
    (re.compile(r"\s*([,;_^])\s*|(?<![!<>:=])\s+(=)\s+|(?<=[(\[{])\s+()|\s+()(?=[)\]}])"), r"\1\2"),
    (re.compile(r"(?<=[\w)}])( ?)([+*/-])\1(?=[\w(\\])"), r"\2"),
)
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|textit|emph|mathbf)\s*\{([^{}]*)\}")
_NO_WORD = re.compile(r"[^\w\s]")
_NAME = re.compile(r"((?:\\[A-Za-z]+|[A-Za-z])(?:_\w+|_\{\w+\})?)\s*=(?!=)\s*(?=[^=<>]+$)")
_SUBSCRIPT = re.compile(r"_\{?(\w+)\}?")
_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_SIGNS = re.compile(r"(?<=\d)[.:,](?=\d)|[+\-<>=±≤≥≠*#%/^′|!]")
_ARTICLE = re.compile(r"^(?:the|an?) ")


def bare(answer: str) -> str:
    """The answer without what stands around it: dollars, bold marks, odd spaces, a full stop at the end."""
    text = _STOP.sub("", " ".join(answer.split()))
    if bold := _BOLD.fullmatch(text):
        text = bold[1].strip()
    if (wrapped := _WRAPPED.fullmatch(text)) and "$" not in wrapped[1]:
        text = _STOP.sub("", wrapped[1].strip())
    return text


@lru_cache(maxsize=1024)
def plain(answer: str) -> str:
    r"""As `bare`, without `\left`, `\displaystyle` and the like."""
    text = bare(answer)
    for pattern, instead in _LOOKS:
        text = pattern.sub(instead, text)
    return " ".join(text.split())


def math_form(answer: str) -> str:
    """`plain` without the spaces that mean nothing. Case is kept: x is not X. `3 1/2` stays apart from `31/2`."""
    text = plain(answer)
    for pattern, instead in _SPACES:
        text = pattern.sub(instead, text)
    return text


def text_form(answer: str) -> str:
    """Words alone: case, punctuation, text commands, the mark of a subscript and a leading article do not count."""
    words = _SUBSCRIPT.sub(r"\1", _TEXT_COMMAND.sub(r"\1", plain(answer)))
    return normal_form(_NO_WORD.sub(" ", _ARTICLE.sub("", normal_form(words))))


def unnamed(text: str) -> tuple[str, str]:
    """The name and the value of `x = 5`; the name is empty where there is none."""
    result = _NAME.match(text)
    return (result[1], text[result.end() :]) if result else ("", text)


def other_names(key: str, answer: str) -> bool:
    """Whether both name what they give, and not the same: `x = 2` is not `y = 2`."""
    names = {unnamed(plain(side))[0] for side in (key, answer)} - {""}
    return len(names) > 1


def signs(answer: str) -> list[str]:
    """What `text_form` leaves out and a word may hang on: Na+ is not Na-, nor p < q what p > q is."""
    return _SIGNS.findall(_HYPHEN.sub(" ", plain(answer)))
