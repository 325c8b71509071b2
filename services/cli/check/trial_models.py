"""The models of one role under trial: the services' own client, over an endpoint that records its calls."""

from collections.abc import Mapping
from dataclasses import fields

from pydantic import BaseModel

from schemas.config.models_config import ModelsConfig, RoleModel
from schemas.item import Provenance
from services.cli.check.recording_endpoint import RecordingEndpoint
from shared.answers.extract import final_answer
from shared.llm import Models, Prompt
from shared.llm.channel import EndpointChannel
from shared.llm.client import ChatModel
from shared.llm.limiter.limiter import ConcurrencyLimiter
from shared.ports import Malformed, Reply, T


class UnusableAnswer(Exception):
    """The model gave no answer that its service can use. `response_model` is `None` for a free text."""

    def __init__(self, response_model: type[BaseModel] | None) -> None:
        super().__init__()
        self.response_model = response_model


class TrialModel(ChatModel):
    """Ends the trial with the first answer that a service cannot use."""

    __slots__ = ()

    @property
    def endpoint(self) -> RecordingEndpoint:
        assert isinstance(self.channel.endpoint, RecordingEndpoint)  # noqa: S101 - TrialModels makes no other
        return self.channel.endpoint

    async def complete(self, fields: Mapping[str, str], *, seed: int) -> Reply:
        """Complete as ChatModel. Raises UnusableAnswer, or TimeoutError."""
        async with self.endpoint.answer_deadline():
            reply = await super().complete(fields, seed=seed)
        if final_answer(reply.text) is None or reply.fault:  # as each handler reads a free text
            raise UnusableAnswer(None)
        return reply

    async def structured(
        self, fields: Mapping[str, str], response_model: type[T], *, seed: int
    ) -> tuple[T, tuple[Provenance, ...]]:
        """Answer as ChatModel. Raises UnusableAnswer, or TimeoutError."""
        try:
            async with self.endpoint.answer_deadline():
                return await super().structured(fields, response_model, seed=seed)
        except Malformed as error:
            raise UnusableAnswer(response_model) from error
        finally:
            self.endpoint.structured_call = self.endpoint.calls[-1] if self.endpoint.calls else None


class TrialModels(Models):
    """The models of one role. All roles share the limiter of each endpoint, as the models of a service do."""

    def __init__(self, config: ModelsConfig, limiters: dict[str, ConcurrencyLimiter], timeout_s: float) -> None:
        super().__init__(config, "check")
        self._limiters = limiters
        self._timeout_s = timeout_s
        self._recordings: dict[str, RecordingEndpoint] = {}

    def model(self, role: str, prompt: Prompt) -> ChatModel:
        """Create a role's model that ends the trial with the first unusable answer."""
        model = super().model(role, prompt)
        return TrialModel(*(getattr(model, field.name) for field in fields(model)))

    def weights(self, model: RoleModel) -> str | None:
        """Return what the endpoint says is behind a model's name."""
        return self._channel(model.endpoint).weights(model.model)

    def recording(self, endpoint: str) -> RecordingEndpoint:
        """Return what an endpoint has recorded."""
        self._channel(endpoint)
        return self._recordings[endpoint]

    def _channel(self, name: str) -> EndpointChannel:
        channel = super()._channel(name)
        if name not in self._recordings:
            channel.limiter = self._limiters.setdefault(name, channel.limiter)
            channel.endpoint = self._recordings[name] = RecordingEndpoint(channel.endpoint, self._timeout_s)
        return channel
