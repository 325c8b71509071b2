"""Normal forms: what changes only the look of an answer is taken away, nothing that could change its value."""

import re

from schemas.identity import normal_form

_LOOKS = (
    (re.compile(r"\\(?:left|right|displaystyle|mathstrut)(?![A-Za-z])"), ""),
    (re.compile(r"\\[dt]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\[ ,;:!>]|\\quad(?![A-Za-z])|~"), " "),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"\\(%|\$)"), r"\1"),
    (re.compile(r"\\frac\s*(\d)\s*(\d)"), r"\\frac{\1}{\2}"),
)
_WRAPPED = re.compile(r"(?:\$\$?|\\[(\[])\s*(.*?)\s*(?:\$\$?|\\[)\]])", re.DOTALL)
_SPACES = (
    (re.compile(r"\s*([^\w\s\\.])\s*"), r"\1"),
    (re.compile(r"\s+(?=\\)"), ""),
)
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|textit|emph|mathbf)\s*\{([^{}]*)\}")
_NO_WORD = re.compile(r"[^\w\s]")
_ARTICLE = re.compile(r"^(?:the|an?) ")


def plain(answer: str) -> str:
    r"""The answer without dollars around it, `\left`, `\displaystyle`, odd spaces or a full stop at the end."""
    text = " ".join(answer.split()).rstrip(".").strip()
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped[1].strip().rstrip(".")
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
    """Words alone: case, punctuation, text commands and a leading article do not count."""
    words = _TEXT_COMMAND.sub(r"\1", plain(answer))
    return normal_form(_NO_WORD.sub(" ", _ARTICLE.sub("", normal_form(words))))
