"""The models of one process: every role's, over one line per endpoint."""

from schemas.config.models_config import ModelsConfig
from shared.config.settings import Settings
from shared.llm.budget_guard import BudgetGuard, Unlimited
from shared.llm.call_metrics import call_metrics
from shared.llm.channel import EndpointChannel
from shared.llm.client import ChatModel
from shared.llm.embeddings import Embedder
from shared.llm.endpoint import EndpointClient
from shared.llm.limiter.limiter import ConcurrencyLimiter
from shared.llm.models_config import api_key, load_models_config, role_model
from shared.llm.plan_budget import budget_guard
from shared.llm.prompts import Prompt


class Models:
    """Makes models; owns their connections. May be built outside a running loop."""

    def __init__(self, cast: ModelsConfig, asked_by: str, purse: BudgetGuard | None = None) -> None:
        """`asked_by` is the service, for lineage."""
        self._cast = cast
        self._asked_by = asked_by
        self._purse = purse or Unlimited()
        self._lines: dict[str, EndpointChannel] = {}

    @classmethod
    def of(cls, settings: Settings) -> "Models":
        """The models of a service. Raises Refusal when the models file cannot be used, or the budget not with it."""
        cast = load_models_config(settings.models)
        return cls(cast, settings.service, budget_guard(settings, cast))

    def model(self, role: str, prompt: Prompt) -> ChatModel:
        """The model that plays `role`, with a prompt. Raises Refusal when nobody does, or when its key is missing."""
        part = role_model(self._cast, role)
        line = self._channel(part.endpoint)
        line.models.add(part.model)
        asked_by = role if role == "judge" else self._asked_by  # one judge serves many; it plays none of their roles
        call_metrics(part.endpoint, part.model, asked_by)  # its counters show zero from here on
        return ChatModel(line, part, prompt, asked_by)

    def embedder(self) -> Embedder | None:
        """Who compares meanings; None when the role is open."""
        if not self.is_assigned("embedder"):
            return None
        part = role_model(self._cast, "embedder")
        line = self._channel(part.endpoint)
        call_metrics(part.endpoint, part.model, self._asked_by)
        return Embedder(line, part, self._asked_by)

    def is_assigned(self, role: str) -> bool:
        """Whether a model plays this role."""
        return role in self._cast.assigned()

    def _channel(self, name: str) -> EndpointChannel:
        if name not in self._lines:
            place = self._cast.endpoints[name]
            endpoint = EndpointClient(name, place, api_key(name, place))
            self._lines[name] = EndpointChannel(endpoint, ConcurrencyLimiter(name, place.at_once), self._purse)
        return self._lines[name]

    async def aclose(self) -> None:
        """Close every connection."""
        for line in self._lines.values():
            await line.aclose()
        await self._purse.aclose()
