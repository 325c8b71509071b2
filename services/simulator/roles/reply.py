"""The input and the result of a task."""

from dataclasses import dataclass

from services.simulator.api.request import ChatRequest
from services.simulator.bank import Bank
from services.simulator.settings import Settings


class UnsupportedRequest(Exception):
    """The simulator cannot answer this request; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """Everything that an answer depends on: the request, the bank and the settings."""

    request: ChatRequest
    bank: Bank
    settings: Settings

    @property
    def ability(self) -> float:
        """The ability of the request's model."""
        return self.settings.ability(self.request.model)

    def name(self, *more: object) -> tuple[object, ...]:
        """Return the name of a random generator for this model and sample, independent of the prompt's wording."""
        return (self.bank.seed, self.request.model, self.request.sampling_key(), *more)


@dataclass(frozen=True, slots=True)
class Reply:
    """The text, and for the call log its task and outcome."""

    task: str
    content: str
    outcome: str
    reasoning: str = ""
    problem: str | None = None
    """Id of the bank's problem, if any."""
