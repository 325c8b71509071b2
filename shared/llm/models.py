"""The models of one process: every role's, over one line per endpoint."""

from schemas.config.models_config import Cast
from shared.config.settings import Settings
from shared.llm.budget_guard import Purse, Unlimited
from shared.llm.call_metrics import meter
from shared.llm.channel import Line
from shared.llm.client import ChatModel
from shared.llm.embeddings import Embedder
from shared.llm.endpoint import Endpoint
from shared.llm.limiter.limiter import Gate
from shared.llm.models_config import key_of, load_cast, part_of
from shared.llm.plan_budget import purse_of
from shared.llm.prompts import Prompt


class Models:
    """Makes models; owns their connections. May be built outside a running loop."""

    def __init__(self, cast: Cast, asked_by: str, purse: Purse | None = None) -> None:
        """`asked_by` is the service, for lineage."""
        self._cast = cast
        self._asked_by = asked_by
        self._purse = purse or Unlimited()
        self._lines: dict[str, Line] = {}

    @classmethod
    def of(cls, settings: Settings) -> "Models":
        """The models of a service. Raises Refusal when the models file cannot be used, or the budget not with it."""
        cast = load_cast(settings.models)
        return cls(cast, settings.service, purse_of(settings, cast))

    def model(self, role: str, prompt: Prompt) -> ChatModel:
        """The model that plays `role`, with a prompt. Raises Refusal when nobody does, or when its key is missing."""
        part = part_of(self._cast, role)
        line = self._line(part.endpoint)
        line.models.add(part.model)
        asked_by = role if role == "judge" else self._asked_by  # one judge serves many; it plays none of their roles
        meter(part.endpoint, part.model, asked_by)  # its counters show zero from here on
        return ChatModel(line, part, prompt, asked_by)

    def embedder(self) -> Embedder | None:
        """Who compares meanings; None when the role is open."""
        if not self.plays("embedder"):
            return None
        part = part_of(self._cast, "embedder")
        line = self._line(part.endpoint)
        meter(part.endpoint, part.model, self._asked_by)
        return Embedder(line, part, self._asked_by)

    def plays(self, role: str) -> bool:
        """Whether a model plays this role."""
        return role in self._cast.playing()

    def _line(self, name: str) -> Line:
        if name not in self._lines:
            place = self._cast.endpoints[name]
            endpoint = Endpoint(name, place, key_of(name, place))
            self._lines[name] = Line(endpoint, Gate(name, place.at_once), self._purse)
        return self._lines[name]

    async def aclose(self) -> None:
        """Close every connection."""
        for line in self._lines.values():
            await line.aclose()
        await self._purse.aclose()
