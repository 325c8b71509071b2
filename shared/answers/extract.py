r"""The final answer of a text: its last `\boxed{…}` that holds one; where there is no box, a last line "Answer: …"."""

import re
from collections.abc import Iterator

from shared.answers.guard import says_nothing

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_BARE = re.compile(r"[+-]?\d+(?:\.\d+)?|\\[A-Za-z]+(?![A-Za-z{])|[A-Za-z](?![A-Za-z])")
_LINE = re.compile(
    r"[\s>*_#]*(?:the )?(?:final )?answer\s*(?:[*_]*\s*:|:\s*[*_]*)\s*[*_]*\s*(\S.*?)[\s*_]*", re.IGNORECASE
)
_THOUGHT = re.compile(r"</?(?:think(?:ing)?|reasoning|thought)>|◁/?think▷|\[/?THINK\]")
"""Without groups around the branches: `re` then searches for their first characters, ten times as fast."""
_NOTHING = frozenset({"?", "...", "…", "\\ldots", "\\dots"})


def final_answer(text: str) -> str | None:
    """What the last box holds, or the last line states. None where there is neither, or in an unfinished thought.

    A box that says nothing (`Solution`, `?`, an empty one) is no answer: the one before it counts. Thinking, between
    its tags, holds boxes that were thought better of and is not read.
    """
    solution = after_thinking(text)
    if solution is None:
        return None
    boxes = list(_boxes(solution))
    for boxed in reversed(boxes):
        if boxed not in _NOTHING and not says_nothing(boxed):
            return final_answer(boxed) if _BOX.match(boxed) else boxed
    return None if boxes or _BOX.search(solution) else _stated(solution)


def completed_answer(completion: str, thinks: bool = True) -> str | None:
    """The final answer of all that a model wrote. None where a model that `thinks` has not closed its thought."""
    if thinks and not any(map(_is_closing, _THOUGHT.findall(completion))):
        return None
    return final_answer(completion)


def after_thinking(text: str) -> str | None:
    """The text behind the last thought; None where a thought is not closed."""
    marks = list(_THOUGHT.finditer(text))
    if not marks:
        return text
    return text[marks[-1].end() :] if _is_closing(marks[-1][0]) else None


def _is_closing(tag: str) -> bool:
    return "/" in tag


def last_box(text: str) -> str | None:
    r"""Content of the last `\boxed{…}` that is closed, braces balanced. None where there is none."""
    boxes = list(_boxes(text))
    return boxes[-1] if boxes else None


def _boxes(text: str) -> Iterator[str]:
    end = 0
    for result in _BOX.finditer(text):
        if result.start() < end:
            continue  # a box within a box is part of it
        if text[result.end() : result.end() + 1] == "{":
            closed = _closing(text, result.end() + 1)
            if closed is not None:
                end = closed + 1
                yield text[result.end() + 1 : closed].strip()
        elif bare := _BARE.match(text, result.end()):
            yield bare[0]


def _closing(text: str, begin: int) -> int | None:
    """Where the brace that is open at `begin` closes."""
    depth = 1
    for result in re.finditer(r"\\.|[{}]", text[begin:], re.DOTALL):
        depth += {"{": 1, "}": -1}.get(result[0], 0)
        if depth == 0:
            return begin + result.start()
    return None


def _stated(text: str) -> str | None:
    lines = [line for line in text.splitlines() if line.strip()]
    result = _LINE.fullmatch(lines[-1]) if lines else None
    stated = result[1].strip() if result else ""
    return None if not stated or stated in _NOTHING or says_nothing(stated) else stated
