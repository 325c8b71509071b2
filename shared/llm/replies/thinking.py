"""Separates the thinking from the text of an answer, by the tags of known models.

A missing opening tag may be part of the prompt: then all text before the closing tag is thinking. A thought that is not
closed is unfinished, and what follows it is not an answer: the text is empty.
"""

import re
from collections.abc import Iterable

_TAGS = {
    "<think>": "</think>",  # DeepSeek, Qwen and many others
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",  # Gemini, EXAONE
    "<thoughts>": "</thoughts>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "[think]": "[/think]",  # Magistral
    "◁think▷": "◁/think▷",  # Kimi
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|start_thinking|>": "<|end_thinking|>",  # Command A
}
_OPENING = {closing: opening for opening, closing in _TAGS.items()}
_TAG = re.compile("|".join(map(re.escape, [*_TAGS, *_OPENING])), re.IGNORECASE)

_FINAL = re.compile(r"<\|channel\|>final(?:<\|constrain\|>\w+)?<\|message\|>")
"""Start of the answer in OpenAI's harmony format. All before it is thinking."""
_HARMONY = re.compile(
    r"<\|channel\|>\s*(?:analysis|commentary)[^<]*|<\|(?:start|end|message|return|call)\|>(?:assistant)?"
)

_STRIPPED = re.compile(r"\s*analysis(?=\S)(.*?)assistantfinal(?=\S)(.*)", re.DOTALL)
"""The same format where a server has removed the special tokens."""


def split_thinking(answer: str) -> tuple[str, str]:
    """Return text and thinking, without tags."""
    if stripped := _STRIPPED.fullmatch(answer):
        return stripped[2].strip(), _join([stripped[1]])
    if "<|channel|>" in answer:
        *thoughts, text = _FINAL.split(answer) if _FINAL.search(answer) else [answer, ""]
        return _HARMONY.sub("", text).strip(), _join(_HARMONY.sub("", thought) for thought in thoughts)
    texts, thoughts, start, closing = list[str](), list[str](), 0, ""
    for match in _TAG.finditer(answer):
        tag = match[0].lower()
        if closing and tag != closing:
            continue  # inside of a thought
        before = answer[start : match.start()]
        if tag in _TAGS:
            texts.append(before)
            closing = _TAGS[tag]
        else:
            thoughts += [before] if closing else [*texts, before]
            texts = texts if closing else []
            closing = ""
        start = match.end()
    if closing:
        return "", _join(_TAG.split(answer))
    return "".join([*texts, answer[start:]]).strip(), _join(thoughts)


def _join(thoughts: Iterable[str]) -> str:
    return "\n\n".join(stripped for thought in thoughts if (stripped := _TAG.sub("", thought).strip()))
