"""One model's server inside the simulator: its present faults, what it works on, what waits, what it has counted."""

import asyncio
from collections import deque
from itertools import count

from services.simulator.api.errors import failing
from services.simulator.faults import Fault, Faults
from services.simulator.sampling import seeded_random


class Engine:
    """Like a vLLM engine: runs so many calls, the others wait in order. `faults` may change meanwhile."""

    def __init__(self, model: str, seed: int, faults: Faults) -> None:
        self.model = model
        self.running = 0
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self._seed = seed
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.behave(faults)

    def behave(self, faults: Faults) -> None:
        """Take other faults; the throws begin anew, and whoever waits is let in if there is room now."""
        self.faults = faults
        self._throws = count()
        self._let_in()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def load(self) -> float:
        """Share of the room that is taken, 0 to 1; 0 when there is no limit."""
        return min(self.running / self.faults.at_once, 1.0) if self.faults.at_once else 0.0

    def throw(self) -> Fault | None:
        """Decide what befalls the next call. Counted here, not drawn from the request: a repeat gets a new throw."""
        if not self.faults.rates:
            return None
        return self.faults.pick(seeded_random(self._seed, "fault", self.model, next(self._throws)).random())

    async def enter(self) -> None:
        """Take one of the places, to be given back by `leave`; wait for it in order of arrival, or be Refused."""
        if not self._full:
            self.running += 1
        elif self.faults.busy == "refuse":
            raise failing(429, self.faults)
        else:
            await self._turn()

    def leave(self) -> None:
        """Give the place back."""
        self.running -= 1
        self._let_in()

    @property
    def _full(self) -> bool:
        return self.faults.at_once is not None and self.running >= self.faults.at_once

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the place was given in the very moment the client left
                self.leave()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def _let_in(self) -> None:
        """Give free places away here and now, so that no newcomer takes one before those who wait."""
        while self._waiting and not self._full:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                self.running += 1
                turn.set_result(None)
