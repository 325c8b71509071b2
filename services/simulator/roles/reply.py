"""What a play returns, and what it may look at."""

from dataclasses import dataclass
from typing import Literal

from services.simulator.api.request import ChatRequest
from services.simulator.bank import Bank
from services.simulator.settings import Settings

Task = Literal["topics", "draft", "judgement", "grade", "same", "solve"]


class Unplayable(Exception):
    """The request asks for something the simulator has no part for; the message tells what it lacks."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The bank, the settings and the request: all that an answer depends on."""

    request: ChatRequest
    bank: Bank
    settings: Settings

    @property
    def ability(self) -> float:
        """The ability of the model asked."""
        return self.settings.ability(self.request.model)

    def name(self, *more: object) -> tuple[object, ...]:
        """Name a die for this model and sample; what it decides does not change with the prompt's wording."""
        return (self.bank.seed, self.request.model, self.request.sampling_key(), *more)


@dataclass(frozen=True, slots=True)
class Reply:
    """The words, and for the call log what they are."""

    task: Task
    content: str
    outcome: str
    reasoning: str = ""
    problem: str | None = None
    """Id of the bank's problem, if one is concerned."""
