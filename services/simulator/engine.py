"""The simulated server of one model: its faults, running calls, waiting calls and token counts."""

import asyncio
from collections import deque
from itertools import count

from services.simulator.api.errors import fault_error
from services.simulator.faults import Fault, Faults
from services.simulator.sampling import seeded_random


class Engine:
    """Runs up to `at_once` calls like a vLLM engine; others wait in order. `faults` may change at any time."""

    def __init__(self, model: str, seed: int, faults: Faults) -> None:
        self.model = model
        self.running = 0
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self._seed = seed
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.set_faults(faults)

    def set_faults(self, faults: Faults) -> None:
        """Replace the faults, restart their counter, and admit waiting calls if there is room now."""
        self.faults = faults
        self._draws = count()
        self._admit_waiting()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def load(self) -> float:
        """Fraction of slots in use, 0 to 1; 0 without a limit."""
        return min(self.running / self.faults.at_once, 1.0) if self.faults.at_once else 0.0

    def next_fault(self) -> Fault | None:
        """Draw the fault of the next call. It depends on a counter, not on the request, so a repeat gets a new draw."""
        if not self.faults.rates:
            return None
        return self.faults.pick(seeded_random(self._seed, "fault", self.model, next(self._draws)).random())

    async def enter(self) -> None:
        """Take a slot, which `leave` returns; wait for it in order of arrival, or raise Refused."""
        if not self._full:
            self.running += 1
        elif self.faults.busy == "refuse":
            raise fault_error(429, self.faults)
        else:
            await self._wait()

    def leave(self) -> None:
        """Return the slot."""
        self.running -= 1
        self._admit_waiting()

    @property
    def _full(self) -> bool:
        return self.faults.at_once is not None and self.running >= self.faults.at_once

    async def _wait(self) -> None:
        slot = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        try:
            await slot
        except asyncio.CancelledError:
            if not slot.cancelled():  # the slot was assigned at the moment when the client disconnected
                self.leave()
            elif slot in self._waiting:
                self._waiting.remove(slot)
            raise

    def _admit_waiting(self) -> None:
        """Assign free slots immediately, so that a new call does not overtake waiting ones."""
        while self._waiting and not self._full:
            slot = self._waiting.popleft()
            if not slot.cancelled():
                self.running += 1
                slot.set_result(None)
