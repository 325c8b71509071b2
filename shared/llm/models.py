"""The models of one process: every role's, over one client per endpoint."""

from shared.llm.client import ChatModel
from shared.llm.endpoint import Endpoint
from shared.llm.prompts import Prompt
from shared.llm.roles import Roles


class Models:
    """Makes models; owns their connections. May be built outside a running loop."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._endpoints: dict[tuple[str, str, str | None], Endpoint] = {}

    def model(self, role: str, prompt: Prompt, asked_by: str) -> ChatModel:
        """The model that plays `role`, with a prompt. Raises Refusal when nobody does, or when its key is missing."""
        spec = self._roles[role]
        if spec.place not in self._endpoints:
            self._endpoints[spec.place] = Endpoint(spec.endpoint, spec.base_url, spec.key())
        return ChatModel(self._endpoints[spec.place], spec, prompt, asked_by)

    async def aclose(self) -> None:
        """Close every connection."""
        for endpoint in self._endpoints.values():
            await endpoint.aclose()
