"""CPU time of an event in the planner, by the number of topics: the decision, and the change of the snapshot."""

import json
import time
from collections.abc import Iterable

from rich.console import Console

from schemas.config.plan import Plan
from schemas.events import Event, ProblemRequested, SubjectRequested
from services.cli.common.options import shipped
from services.planner.handler import Planner
from services.planner.state import State
from shared.config.plan_loader import load_plan
from shared.runtime.state_changes import changes
from tests.support.planning import NOW, curated, expanded, rejected

FEW = 4
"""Topics of each subject in the smaller plan."""
ENDED_EACH = 2
"""Problems of each topic that have ended before the measurement: a topic then has rows, and its request examples."""
EVENTS = 2_000


class Run:
    """A planner whose problems end in the order of their requests, every second one as a row."""

    def __init__(self, plan: Plan) -> None:
        self._planner = Planner(plan, "bench")
        self._state: State
        self._requests: list[ProblemRequested] = []
        self._state, events = self._planner.start(None, NOW)
        self._receive(events)

    def run(self, events: int) -> float:
        """Return milliseconds an event; events and the answers to requests of topics are made outside this time."""
        seconds = 0.0
        for number in range(events):
            request = self._requests.pop(0)
            event = curated(request, "in") if number % 2 else rejected(request, "repeat" if number % 4 else "disputed")
            before, started = self._state, time.process_time()
            self._state, decided = self._planner(before, event, NOW)
            json.dumps(list(changes(before, self._state)))
            seconds += time.process_time() - started
            self._receive(decided)
        return 1000 * seconds / events

    def _receive(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, ProblemRequested):
                self._requests.append(event)
            elif isinstance(event, SubjectRequested):
                self._state, decided = self._planner(self._state, expanded(event), NOW)
                self._receive(decided)


async def measure() -> dict[str, float]:
    """Return CPU-ms an event by number of topics."""
    full = load_plan(shipped()["forever"])
    few = {name: subject.model_copy(update={"topics": FEW}) for name, subject in full.subjects.items()}
    figures = {}
    for plan in (full.model_copy(update={"subjects": few}), full):
        topics = sum(subject.topics for subject in plan.subjects.values())
        run = Run(plan)
        run.run(ENDED_EACH * topics)
        figures[f"{topics}"] = run.run(EVENTS)
    return figures


def show(console: Console, figures: dict[str, float]) -> None:
    """Print one line for each plan."""
    least = min(figures.values())
    for topics, spent in figures.items():
        console.print(f"planner    {topics} topics: {spent:.2f} CPU-ms an event ({spent / least:.1f} ×)")
