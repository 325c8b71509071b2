"""What could not be handled: who could not, and why; one letter with its bytes."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from shared.dataset.reports.rejects import rivals
from shared.errors import Refusal
from shared.kafka.dlq.replay import DeadLetter

SHOWN = 200
"""Most letters of a list, the latest first."""
MAX_CHARS = 200_000
"""Most that is shown of a letter's bytes."""

Read = Callable[[], Awaitable[list[DeadLetter]]]


async def show(read: Read, service: str = "", error: str = "") -> dict[str, Any]:
    """Letters that wait, and those that were settled, the latest first; `why` there are none to show."""
    why = None
    try:
        found = await read()
    except Refusal as refusal:
        found, why = [], refusal.message
    chosen = [one for one in found if service in ("", one.service) and error in ("", one.error)]
    waiting = [one for one in found if not one.settled]
    return {
        "snapshot": None,
        "why": why,
        "letters": chosen[::-1][:SHOWN],
        "found": len(chosen),
        "services": Counter(one.service for one in waiting),
        "errors": Counter(one.error for one in waiting),
        "service": service,
        "error": error,
    }


async def one(read: Read, id_: str) -> dict[str, Any]:
    """One letter. Raises Refusal when there is none with this id."""
    letter = next((one for one in await read() if one.id == id_), None)
    if letter is None:
        raise Refusal(f"no dead letter has the id {id_[:40]!r}", "The list of dead letters has their ids")
    item = getattr(letter.event, "item", None)
    return {
        "snapshot": None,
        "letter": letter,
        "item": item,
        "rivals": rivals(item.verdicts) if item else {},
        "value": _pretty(letter.value),
        "headers": {name: _text(value) for name, value in letter.headers},
    }


def _pretty(value: bytes | None) -> str:
    shown = _text(value)
    with suppress(ValueError, RecursionError):
        shown = json.dumps(json.loads(shown), indent=2, ensure_ascii=False)
    return shown if len(shown) <= MAX_CHARS else shown[:MAX_CHARS] + f"\n… {len(shown) - MAX_CHARS:,} more characters"


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode(errors="backslashreplace")
