"""The models of one process, by role. All models of an endpoint share one channel."""

from dataclasses import replace
from pathlib import Path

from schemas.config.models_config import ModelsConfig, caller
from schemas.config.plan import ENGLISH
from shared.config.plan_loader import load_plan
from shared.config.settings import Settings
from shared.llm.budget_guard import BudgetGuard, UnlimitedBudget
from shared.llm.call_metrics import call_metrics
from shared.llm.channel import EndpointChannel
from shared.llm.client import ChatModel
from shared.llm.embeddings import Embedder
from shared.llm.endpoint import EndpointClient
from shared.llm.limiter.limiter import ConcurrencyLimiter
from shared.llm.models_config import api_key, load_models_config, role_model
from shared.llm.plan_budget import budget_guard
from shared.llm.prompts import Prompt, check_folder, load_prompt


class Models:
    """Creates models and owns their connections. May be built outside a running event loop."""

    def __init__(
        self, config: ModelsConfig, service: str, budget: BudgetGuard | None = None, language: str = ENGLISH
    ) -> None:
        """`service` is named in the lineage as the caller; `language` is that of the plan, for the prompts."""
        self._config = config
        self._service = service
        self._budget = budget or UnlimitedBudget()
        self._language = language
        self._channels: dict[str, EndpointChannel] = {}
        if config.prompts:
            check_folder(config.prompts)

    @classmethod
    def of(cls, settings: Settings) -> "Models":
        """Create the models of a service. Raises Refusal for a wrong models file, or a budget that does not fit it."""
        config, plan = load_models_config(settings.models), load_plan(settings.plan)
        return cls(config, settings.service, budget_guard(settings, plan.budget, config), plan.language)

    def prompt(self, shipped: Path) -> Prompt:
        """Load a prompt: the user's own of that name, else the shipped one. Raises Refusal for an unusable one."""
        return replace(load_prompt(shipped, self._config.prompts), language=self._language)

    def model(self, role: str, prompt: Prompt) -> ChatModel:
        """Create a role's model with a prompt. Raises Refusal when the role has no model, or its key is missing."""
        assigned = role_model(self._config, role)
        channel = self._channel(assigned.endpoint)
        channel.models.add(assigned.model)
        name = caller(role, self._service)
        call_metrics(assigned.endpoint, assigned.model, name)  # its counters start at zero now
        return ChatModel(channel, assigned, prompt, name)

    def embedder(self) -> Embedder | None:
        """Create the embeddings model; `None` when the role has no model."""
        if not self.is_assigned("embedder"):
            return None
        assigned = role_model(self._config, "embedder")
        channel = self._channel(assigned.endpoint)
        call_metrics(assigned.endpoint, assigned.model, self._service)
        return Embedder(channel, assigned, self._service)

    def is_assigned(self, role: str) -> bool:
        """Whether a role has a model."""
        return role in self._config.assigned()

    def _channel(self, name: str) -> EndpointChannel:
        if name not in self._channels:
            endpoint = self._config.endpoints[name]
            client = EndpointClient(name, endpoint, api_key(name, endpoint))
            limiter = ConcurrencyLimiter(name, endpoint.max_concurrency)
            self._channels[name] = EndpointChannel(client, limiter, self._budget)
        return self._channels[name]

    async def aclose(self) -> None:
        """Close every connection."""
        for channel in self._channels.values():
            await channel.aclose()
        await self._budget.aclose()
