"""Sends decisions, and the problems that follow from them: a rejected one that is accepted, or one with another key.

An accepted row stays, a rejected one leaves its views. A problem that follows has an id of its own, is solved if it has
no solution, graded by its key, and ends as a row or rejected; the old one ends or stays rejected.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console

from schemas.events import Event, ProblemReviewed, SolutionRequested, SolutionSynthesized
from schemas.events.base import Cause
from schemas.identity import derive
from schemas.item import Item, Verdict, Vote
from schemas.outcomes import Tier
from services.cli.check.forecast import Need, assumed, estimate_calls
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config
from services.cli.common.run_config import RunConfig
from services.cli.evidence.feeding import FeedState, Outgoing, feed
from services.cli.evidence.item_ends import ItemEnd, find_ends
from services.cli.evidence.progress import progress_bar
from services.cli.evidence.working_stack import work_on
from services.cli.resolve.resolve import reopened
from services.cli.review.decisions import Decision, contradictions
from services.screening.form import find_flaw
from shared.answers.rivals import agree
from shared.config.connections import KafkaAccess
from shared.dataset import Dataset, open_resolutions, open_reviews
from shared.dataset.query import id_in
from shared.dataset.reports.review_queue import DoubtfulItem, review_queue
from shared.dataset.storage import Location
from shared.errors import Refusal
from shared.kafka.codec import encode

ROLE = "cli"
SERVICES = ("synthesis", "answer_checker", "aggregator")
CORRECTED = "the key was corrected by a person"


def recorded_decisions(dataset: Location) -> list[Decision]:
    """Return the decisions on record, the oldest first."""
    if (table := open_reviews(dataset)) is None:
        return []
    lines = sorted(table, key=lambda line: (line.reviewed_at, line.kafka_offset))
    return [Decision(one.item_id, one.decision, one.reviewer, one.reason, one.new_answer) for one in lines]


def find_queue(dataset: Location) -> list[DoubtfulItem]:
    """Return the doubtful items that nobody has decided about, the most valuable first."""
    disputed = open_resolutions(dataset)
    rows = (
        []
        if disputed is None
        else [one["item_id"] for one in disputed.columns("item_id", where="disputed is not null")]
    )
    return review_queue(Dataset.open(dataset), {one.id for one in recorded_decisions(dataset)}, rows)


@dataclass(frozen=True, slots=True)
class Planned:
    """One decision with its item, and the problem that follows from it."""

    event: ProblemReviewed
    follows: SolutionRequested | SolutionSynthesized | None

    def is_new(self, past: Sequence[Decision], ended: Container[str]) -> bool:
        """Whether it is not on record, or the problem that follows from it has not ended."""
        return self.event.cause.index >= len(past) or bool(self.follows and self.follows.key not in ended)

    @property
    def outgoing(self) -> Iterator[Event]:
        yield self.event
        if self.follows:
            yield self.follows


class Review:
    """Decisions that are applied in the factory of a folder."""

    def __init__(self, config: RunConfig, decisions: Sequence[Decision], console: Console, factory: str) -> None:
        """Raises Refusal for an id without an item, and a key that cannot be one."""
        self._config, self._console, self._factory = config, console, factory
        recorded = recorded_decisions(config.dataset)
        self.contradictions = contradictions(decisions, recorded)
        agreed = {one.id: one for one in decisions if one.id not in self.contradictions}
        dataset, past = Dataset.open(config.dataset), defaultdict[str, list[Decision]](list)
        for one in recorded:
            past[one.id].append(one)
        planned = [self._plan(dataset, one, _number(one, past[id_])) for id_, one in agreed.items()]
        ended = find_ends(config.dataset, {one.follows.key for one in planned if one.follows})
        self.planned = [one for one in planned if one.is_new(past[one.event.key], ended)]
        self.repeated = len(planned) - len(self.planned)

    @property
    def solved(self) -> int:
        """Number of problems that need a new solution."""
        return sum(isinstance(one.follows, SolutionRequested) for one in self.planned)

    def estimate(self) -> tuple[Need, ...]:
        """Estimate the model calls."""
        config = self._config
        basis = measured_costs(config.dataset, config.plan, simulated=config.simulated) or assumed(config.plan)
        return estimate_calls(self.solved, basis, config.models or models_config.simulated(0), ("solver", "judge"))

    async def execute(self, bootstrap: str) -> tuple[FeedState, bool]:
        """Send all, and wait for the ends; False when the first Ctrl-C ended it early."""
        config, state = self._config, FeedState(total=sum(1 for _ in self._events()))
        with progress_bar(self._console) as progress:
            task = progress.add_task("starting", total=state.total)

            def show(state: FeedState) -> None:
                progress.update(task, completed=state.done, description=f"{len(state.in_flight)} in flight")

            async def work(kafka: KafkaAccess) -> None:
                outgoing = (Outgoing(one.key, encode(one, f"{self._factory}/{ROLE}")) for one in self._events())
                await feed(kafka, self._factory, outgoing, state, config.plan.in_progress, self._find_ended, show)

            is_done = not state.total or await work_on(config, bootstrap, self._console, work, SERVICES)
        return state, is_done

    def _events(self) -> Iterator[Event]:
        return (event for one in self.planned for event in one.outgoing)

    def _find_ended(self, ids: Iterable[str]) -> dict[str, ItemEnd]:
        """Return what has ended: a decision when it is on record."""
        ids, decided = set(ids), {str(one.event.id): one.event.key for one in self.planned}
        table = open_reviews(self._config.dataset)
        lines = [] if table is None else table.columns("id", where=id_in(decided))
        recorded = {decided[line["id"]] for line in lines} & ids
        follow = ids & {one.follows.key for one in self.planned if one.follows}
        return {id_: ItemEnd("recorded") for id_ in recorded} | find_ends(self._config.dataset, follow)

    def _plan(self, dataset: Dataset, decision: Decision, earlier: int) -> Planned:
        found = dataset.get(decision.id)
        if found.item is None or any(entry.kind == "deleted" for entry in found.entries):
            raise Refusal(f"{decision.id} is deleted", "Leave it out and run again")
        item, is_row = found.item, found.row is not None
        about = item.with_(attempts=(), lineage=())
        event = ProblemReviewed.root(
            item.id,
            ROLE,
            earlier,
            item=about,
            decision=decision.decision,
            reviewer=decision.name,
            reason=decision.reason,
            answer=decision.answer,
        )
        if decision.decision == "correct":
            return Planned(event, self._corrected(item, decision, event, earlier))
        return Planned(event, _accepted(item, event) if decision.decision == "accept" and not is_row else None)

    def _corrected(
        self, item: Item, decision: Decision, event: ProblemReviewed, number: int
    ) -> SolutionRequested | SolutionSynthesized:
        """Return the first event of a problem with another key. Its solutions are graded again."""
        key = decision.answer or ""
        problem = item.written.with_(answer=key)
        flaw = find_flaw(problem, self._config.plan.language)
        if flaw and flaw != find_flaw(item.written, self._config.plan.language):
            raise Refusal(f"{decision.id}: the corrected key cannot be one: {flaw[1]}", "Correct it and run again")
        verdicts = tuple(_regraded(one, key) for one in item.verdicts)
        changes = {"problem": problem, "verdicts": verdicts, "belief": None, **_decided(event)}
        new = reopened(item, derive(item.id, "corrected", number)).with_(**changes)
        attempts = tuple(one.with_(agrees=None, method=None) for one in item.attempts)
        if not attempts:
            return SolutionRequested.of(_parent(new, item), ROLE, new)
        new = new.with_(attempts=attempts[:-1])
        return SolutionSynthesized.of(_parent(new, item), ROLE, new, attempt=attempts[-1])


def _number(decision: Decision, past: Sequence[Decision]) -> int:
    """Return which decision on its item it is: the latest of this person again, or a further one."""
    own = [number for number, one in enumerate(past) if one.name == decision.name]
    return own[-1] if own and past[own[-1]].outcome == decision.outcome else len(past)


def _accepted(item: Item, event: ProblemReviewed) -> SolutionRequested:
    new = reopened(item, derive(item.id, "accepted")).with_(**_decided(event))
    return SolutionRequested.of(_parent(new, item), ROLE, new)


def _decided(event: ProblemReviewed) -> dict[str, str]:
    return {"tier": Tier.REVIEWED, "tier_reason": event.summary}


def _parent(new: Item, old: Item) -> Event:
    return Event(id=new.id, cause=Cause(parent=old.id, role=ROLE))


def _regraded(verdict: Verdict, key: str) -> Verdict:
    """Return a verdict with its votes compared with another key. Its judgement was about the old one."""
    votes = tuple(_vote(vote, key) for vote in verdict.votes)
    return verdict.with_(votes=votes, judgement=None, unable=CORRECTED)


def _vote(vote: Vote, key: str) -> Vote:
    if vote.answer is None:
        return vote
    agrees = "yes" if agree(vote.answer, key) else "no" if vote.agrees != "unsure" else "unsure"
    return Vote(answer=vote.answer, agrees=agrees, method="the key was corrected")
