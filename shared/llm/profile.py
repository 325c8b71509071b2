"""Which optional parameters an endpoint accepts for a model, learnt from its refusals and kept for the process."""

import logging
import re
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

ALWAYS_SENT = ("seed", "stream_options")
"""Nobody has configured these: an error that names one removes it."""
CONFIGURED = ("temperature", "top_p")
"""From the models file: an error must say that the endpoint does not know it. A wrong value stays an error."""
_UNSUPPORTED = re.compile(
    r"(?:un|not |n't )support|un(?:known|recogni[sz]ed|expected)|not (?:permitted|allowed)|extra_forbidden"
    r"|only the default",
    re.IGNORECASE,
)


@dataclass(slots=True)
class ParameterProfile:
    """The parameters of one model at one endpoint."""

    endpoint: str
    removed: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)

    def adapt(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body as this endpoint accepts it."""
        kept = ((name, value) for name, value in body.items() if name not in self.removed)
        return {self.renamed.get(name, name): value for name, value in kept}

    def learn(self, sent: dict[str, Any], error: str) -> bool:
        """Learn from the refusal of an adapted body. Returns whether it is adapted differently now.

        A token limit is renamed and never removed: the budget reserves by it.
        """
        is_unsupported = _UNSUPPORTED.search(error) is not None
        if "max_tokens" in sent and "max_completion_tokens" in error:
            self.renamed["max_tokens"] = "max_completion_tokens"
            log.warning("endpoint %s: `max_tokens` is `max_completion_tokens` from now on: %s", self.endpoint, error)
            return True
        for name in (*ALWAYS_SENT, *CONFIGURED):
            if name in sent and re.search(rf"\b{name}\b", error) and (is_unsupported or name in ALWAYS_SENT):
                self.removed.add(name)
                log.warning("endpoint %s: `%s` is left out from now on: %s", self.endpoint, name, error)
                return True
        return False
