"""The way to one endpoint: its client, the gate before it, and the purse that pays."""

import logging
from dataclasses import dataclass, field

from shared.llm.endpoint import Endpoint
from shared.llm.gate import Gate
from shared.llm.purse import Purse

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Line:
    """Shared by everything in the process that speaks to this endpoint."""

    endpoint: Endpoint
    gate: Gate
    purse: Purse
    takes_schemas: bool = field(init=False)
    """Whether a structured answer is asked for by `response_format`, and not in the prompt."""

    def __post_init__(self) -> None:
        self.takes_schemas = self.endpoint.place.structured != "prompt"

    def takes_no_schemas(self, why: str) -> None:
        """Remember what the endpoint does not understand."""
        if self.takes_schemas:
            log.warning("from now on forms are asked for in the prompt: %s", why)
        self.takes_schemas = False
