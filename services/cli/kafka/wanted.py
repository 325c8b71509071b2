"""Dead letters whose problems the plan still wants, and what it costs to replay them.

The planner's own estimate decides: the problems of each subject that it would request now. Those that came furthest
through the flow come first, as the rest of their way costs least.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from schemas.config.plan import Plan
from schemas.events import ItemEvent, PlanAdopted, ProblemRequested
from schemas.flow import BY_TYPE, SERVICE
from schemas.spend import amount, total
from services.planner.demand import wanted_in_flight
from services.planner.state import State
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.codec import decode
from shared.kafka.dlq.replay import DeadLetter
from shared.kafka.partitions import partitions_of
from shared.kafka.read.records import read_records
from shared.runtime.machine import read_snapshot

_STAGES = {name: number for number, name in enumerate(BY_TYPE)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a replay costs, by the mean of all ended problems. Unknown is `None`."""

    problems: int
    tokens: int | None
    dollars: float | None

    def __str__(self) -> str:
        costs = [amount(self.tokens, "tokens")] if self.tokens is not None else []
        costs += [amount(self.dollars, "dollars")] if self.dollars else []
        cost = f"at most about {', '.join(costs)}" if costs else "cost unknown: no problem has ended yet"
        return f"{self.problems} problem{'' if self.problems == 1 else 's'}, {cost}"


@dataclass(frozen=True, slots=True)
class Demand:
    """The plan and the planner's state."""

    plan: Plan
    state: State

    @classmethod
    async def read(cls, access: KafkaAccess, factory: str) -> "Demand | None":
        """Read the adopted plan and the planner's snapshot; `None` before the planner has started."""
        ((name, _),) = SERVICE["planner"].state
        snapshot, plan = await read_snapshot(access, factory, name), None
        async with aclosing(read_records(access, partitions_of(factory, PlanAdopted.type, 1), newest=True)) as batches:
            async for batch in batches:
                for records in batch.values():
                    event = decode(PlanAdopted.type, records[-1].key, records[-1].value, records[-1].headers)
                    plan = event.plan if isinstance(event, PlanAdopted) else None
        return cls(plan, State.model_validate(snapshot.state)) if snapshot and plan else None

    def wanted(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return the dead letters to replay: of problems that the plan wants, and those of no problem."""
        in_flight = Counter(name for name, _ in self.state.in_flight.values())
        room = {name: n - in_flight[name] for name, n in wanted_in_flight(self.plan, self.state).items()}
        chosen: set[UUID] = set()
        selected = []
        for letter in sorted(letters, key=lambda one: (-_STAGES.get(one.name, 0), one.at)):
            if letter.problem and letter.problem not in chosen:
                subject = _subject(letter)
                if subject is None or room.get(subject, 0) <= 0:
                    continue
                room[subject] -= 1
                chosen.add(letter.problem)
            selected.append(letter)
        return selected

    def estimate(self, letters: Sequence[DeadLetter]) -> Estimate:
        """Estimate the cost of a replay."""
        problems = len({letter.problem for letter in letters if letter.problem})
        if not self.state.costed:
            return Estimate(problems, None, None)
        spent, share = total(self.state.spent), problems / self.state.costed
        dollars = None if spent.unpriced else round(spent.dollars * share, 4)
        return Estimate(problems, None if spent.uncounted else round(spent.tokens * share), dollars)


async def read_demand(access: KafkaAccess, factory: str) -> Demand:
    """Read what the plan wants. Raises Refusal when no planner has adopted a plan."""
    if (demand := await Demand.read(access, factory)) is None:
        raise Refusal(f"no planner of {factory} has adopted a plan", "Name the dead letters, or give --all")
    return demand


def _subject(letter: DeadLetter) -> str | None:
    event = letter.event
    return event.item.topic.subject if isinstance(event, ItemEvent | ProblemRequested) else None
