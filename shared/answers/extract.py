r"""The final answer of a text: what stands in its last `\boxed{…}`."""

from shared.answers.guard import says_nothing

BOX = r"\boxed{"


def final_answer(text: str) -> str | None:
    """What stands in the last box. None where there is no box, or it says nothing: `Solution` is no answer.

    Give it the answer part only: thinking holds boxes that were thought better of.
    """
    boxed = last_box(text)
    return None if boxed is None or says_nothing(boxed) else boxed


def last_box(text: str) -> str | None:
    r"""Content of the last `\boxed{…}`, braces balanced. None where there is none, or it never ends."""
    start = text.rfind(BOX)
    if start < 0:
        return None
    depth, at, begin = 1, start + len(BOX), start + len(BOX)
    while at < len(text):
        if text[at] == "\\":
            at += 2  # an escaped brace is no brace
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin:at].strip()
        at += 1
    return None
