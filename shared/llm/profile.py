"""Which optional parameters an endpoint accepts for a model, learnt from its refusals and kept for the process."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.errors import Invalid, OverBudget, Transient
from shared.llm.errors import Declined

log = logging.getLogger(__name__)

R = TypeVar("R")

ALWAYS_SENT = ("seed", "stream_options")
"""Nobody has configured these: an error that names one removes it; without a name they are left out in turn."""
NEEDED = ("temperature", "top_p", "stream")
"""An error must say that the endpoint does not support it. A wrong value stays an error."""
FAILURES_TO_SUSPECT = 2
"""Errors 500 or 501 after which a parameter may be the cause."""
MAX_TRIALS = 3
"""Times that parameters are left out in turn."""
_SERVER_ERROR = re.compile(r" answers 50[01]:")
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
    _accepted: set[str] = field(default_factory=set)
    _server_errors: int = 0
    _trials: int = 0
    _trying: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while parameters are left out in turn: other calls wait for what is learnt."""

    async def call(self, body: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[R]]) -> R:
        """Send a body as the endpoint accepts it; after a refusal learn from it and send it again.

        Raises what `send` raises.
        """
        while True:
            sent = self.adapt(body)
            try:
                return await self._send(sent, send)
            except (Declined, OverBudget):
                raise
            except (Invalid, Transient) as error:
                if isinstance(error, Invalid) and self.learn(sent, str(error)):
                    continue
                if not self._may_be_a_parameter(error, sent):
                    raise
                async with self._trying:
                    if self.adapt(body) == sent:
                        return await self._send_without(sent, send, error)

    async def _send(self, sent: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[R]]) -> R:
        result = await send(sent)
        self._accepted |= sent.keys()
        return result

    async def _send_without(
        self, sent: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[R]], refusal: Exception
    ) -> R:
        """Leave out what was never accepted, one by one and then together. Raises the refusal if nothing helps."""
        suspects = self._suspects(sent)
        if suspects and self._trials < MAX_TRIALS:
            self._trials += 1
            for names in (*({name} for name in suspects), set(suspects)):
                try:
                    result = await self._send({name: sent[name] for name in sent if name not in names}, send)
                except (Declined, OverBudget):
                    raise
                except (Invalid, Transient):
                    continue
                self.removed |= names
                log.warning("endpoint %s: without %s from now on: %s", self.endpoint, " and ".join(names), refusal)
                return result
        raise refusal

    def _suspects(self, sent: dict[str, Any]) -> list[str]:
        return [name for name in ALWAYS_SENT if name in sent and name not in self._accepted]

    def _may_be_a_parameter(self, error: Exception, sent: dict[str, Any]) -> bool:
        """Whether an error that names none may be due to a parameter. Of structured calls the format is tried first."""
        if "response_format" in sent or not self._suspects(sent):
            return False
        if isinstance(error, Invalid):
            return True
        self._server_errors += is_server_error(error)
        return is_server_error(error) and self._server_errors >= FAILURES_TO_SUSPECT

    def adapt(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body as this endpoint accepts it."""
        kept = ((name, value) for name, value in body.items() if name not in self.removed)
        return {self.renamed.get(name, name): value for name, value in kept}

    def learn(self, sent: dict[str, Any], error: str) -> bool:
        """Learn from the refusal of an adapted body. Returns whether it is adapted differently now.

        A token limit is renamed and never removed: the budget reserves by it.
        """
        is_unsupported = _UNSUPPORTED.search(error) is not None
        names_limit = "max_completion_tokens" in error or (is_unsupported and re.search(r"\bmax_tokens\b", error))
        if "max_tokens" in sent and names_limit:
            self.renamed["max_tokens"] = "max_completion_tokens"
            log.warning("endpoint %s: `max_tokens` is `max_completion_tokens` from now on: %s", self.endpoint, error)
            return True
        for name in (*ALWAYS_SENT, *NEEDED):
            if name in sent and re.search(rf"\b{name}\b", error) and (is_unsupported or name in ALWAYS_SENT):
                self.removed |= {"stream", "stream_options"} if name == "stream" else {name}
                log.warning("endpoint %s: `%s` is left out from now on: %s", self.endpoint, name, error)
                return True
        return False


def is_server_error(error: Exception) -> bool:
    """Whether the endpoint answered 500 or 501."""
    return _SERVER_ERROR.search(str(error)) is not None
