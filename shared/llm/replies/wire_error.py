"""An error as an endpoint reports it, in the forms that servers use."""

import re
from dataclasses import dataclass
from typing import Any

MAX_MESSAGE = 1000
"""Characters of an error message."""

_CONTENT_FILTER = re.compile(
    r"content[ _](?:management[ _])?(?:policy|filter)|data_?inspection|responsible_?ai|moderation"
    r"|inappropriate content|content exists risk|sensitive|flagged|usage (?:polic|guideline)|safety (?:system|check)"
    r"|invalid_prompt|prohibited_content|considered high risk|censorship",
    re.IGNORECASE,
)
_CONTEXT_LENGTH = re.compile(
    r"context[ _-]?(?:length|window|size|limit)|(?:prompt|input|request)s? (?:is|are) (?:too|longer)"
    r"|too many (?:input )?tokens|max(?:imum)?[ _](?:model|sequence|prompt)[ _]len|request_too_large"
    r"|(?:input|prompt)(?: token)? (?:length|count|limit)|length of (?:the )?(?:messages|prompt|input)"
    r"|max_new_tokens`? must be|model token limit|(?:exceeds?|over) .{0,30}(?:number of|max_?) ?tokens",
    re.IGNORECASE,
)

_STATUS_OF_CODE = {
    "bad_request_error": 400,
    "badrequesterror": 400,
    "content_filter": 400,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "invalid_argument": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_denied": 403,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "request_too_large": 413,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "too_many_requests": 429,
    "overloaded_error": 529,
    "service_unavailable": 503,
    "unavailable": 503,
}


@dataclass(frozen=True, slots=True)
class WireError:
    """An error as the endpoint reports it. `status` is the HTTP status that it names, if any."""

    message: str
    code: str = ""
    status: int | None = None
    parameter: str = ""
    """The parameter of the request that it is about, if it names one."""

    @property
    def fault(self) -> str | None:
        """`refused` for a content filter, `too_long` for a request beyond the context; `None` for other errors."""
        text = f"{self.code} {self.message}"
        if _CONTENT_FILTER.search(text):
            return "refused"
        return "too_long" if _CONTEXT_LENGTH.search(text) else None


def parse_error(value: Any) -> WireError | None:
    """The error in a reply, in the forms that servers use; `None` when it has none."""
    if isinstance(value, list) and len(value) == 1:
        [value] = value  # Gemini
    if not isinstance(value, dict):
        return None
    error = value.get("error") or _error_of_choice(value.get("choices"))
    if not error and "error" in (str(value.get("object")).lower(), value.get("type")):
        error = value
    if not error and "choices" not in value and (errors := value.get("errors")):
        error = errors[0] if isinstance(errors, list) else errors
    if not error:
        return None
    if not isinstance(error, dict):
        return WireError(str(error)[:MAX_MESSAGE])
    messages = (error.get(name) for name in ("message", "detail", "error"))
    message = next((text for text in messages if text and isinstance(text, str)), None)
    codes = [error.get("code"), error.get("status"), error.get("type")]
    statuses = (status for code in codes if (status := _status(code)))
    code = next((code for code in codes if isinstance(code, str) and not code.isdigit()), "")
    parameter = error.get("param")
    return WireError(
        (message or str(error))[:MAX_MESSAGE],
        code[:100],
        next(statuses, None),
        parameter[:100] if isinstance(parameter, str) else "",
    )


def _error_of_choice(choices: Any) -> Any:
    """OpenRouter's error of a choice."""
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("error") if isinstance(first, dict) else None


def _status(code: Any) -> int | None:
    if isinstance(code, str):
        code = int(code) if code.isdigit() and len(code) == 3 else _STATUS_OF_CODE.get(code.lower())
    return code if type(code) is int and 400 <= code < 600 else None
