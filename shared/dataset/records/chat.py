"""The text of a prompt that has the shape of a chat, as verl, Axolotl and others store it."""

from typing import Any

_TEXT_KEYS = ("content", "value", "text")
_ROLE_KEYS = ("role", "from")
_ASKING = ("user", "human")


def as_text(value: Any) -> str | None:
    """A text as it is, a chat as its last message of a user, `None` for anything else.

    `content` may be a text or a list of parts; parts that are not text make it `None`.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    asking = [one for one in value if isinstance(one, dict) and _first(one, _ROLE_KEYS) in _ASKING]
    return _content(_first(asking[-1], _TEXT_KEYS)) if asking else None


def _content(content: Any) -> str | None:
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = [part.get("text") if isinstance(part, dict) else part for part in content]
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if texts and len(texts) == len(parts) else None


def _first(message: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((message[key] for key in keys if message.get(key) is not None), None)
