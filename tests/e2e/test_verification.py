"""Items that are wrong in one thing each, through every service over HTTP: each ends as its evidence says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from deploy.local.supervisor import Stack
from schemas.config.plan import Plan, Subject
from schemas.config.policies import Solving
from schemas.events import Event, ProblemDrafted, ProblemRequested, SolutionSynthesized
from schemas.identity import factory_id
from schemas.item import Attempt, Item, Problem, Topic
from services.simulator.bank import Bank
from services.simulator.bank import problem as bank
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from tests.e2e.services_as_processes import Line
from tests.support.fake_models import provenance
from tests.support.kafka_world import KafkaWorld, until

SEED = 31
SUBJECTS = ("chemistry", "physics", "mathematics")
PLAN = Plan(
    name="verification",
    rows=64,
    subjects={name: Subject() for name in SUBJECTS},
    solving=Solving(retries=0),
)
ABLE = {"abilities": {"sim-verifier-a": 20.0, "sim-verifier-b": 20.0, "sim-solver": 20.0}}
"""Models that never err: whatever is wrong was put there."""
WRONG_KEYS = {
    "the fourth figure": ("nernst", lambda key: key[:-1] + str((int(key[-1]) + 1) % 10)),
    "the sign": ("velocities", lambda key: key.removeprefix("-") if key.startswith("-") else f"-{key}"),
    "a factor of two": ("diffraction", lambda key: str(2 * float(key))),
    "the order of a tuple": ("invariant_factors", lambda key: f"({', '.join(reversed(key.strip('()').split(', ')))})"),
}
"""How the key is made wrong, for a problem of one family of the bank."""


def drawn(family: str, number: int = 0) -> bank.Problem:
    """A problem of the bank."""
    return [one for subject in SUBJECTS for one in Bank(SEED).problems(subject) if one.family == family][number]


def requested(world: KafkaWorld, number: int, of: bank.Problem, key: str) -> tuple[ProblemRequested, Item]:
    """A request, and the item as a writer would hand it in, with this key."""
    topic = Topic(subject=of.subject, field="f", subfield="s", name="t")
    parent = topic.id(factory_id(world.factory))
    request = ProblemRequested.root(
        parent, "planner", number, plan="verification", topic=topic, answer_type=of.answer_type
    )
    problem = Problem(statement=of.text, answer=key, answer_type=of.answer_type, rationale="")
    return request, request.item.with_(problem=problem)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the items, by name."""

    ids: dict[str, UUID]
    rejected: dict[UUID, Any]
    rows: dict[UUID, dict[str, Any]]

    def row(self, name: str) -> dict[str, Any]:
        return self.rows[self.ids[name]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ended(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ended]:
    factory, folder = f"checked-{uuid4().hex[:8]}", tmp_path_factory.mktemp("verification")
    await provision(KafkaAccess(stack.bootstrap), factory)
    ids: dict[str, UUID] = {}
    async with KafkaWorld(stack.bootstrap, stack.valkey_url, factory, folder) as world:

        def draft(name: str, family: str, number: int, change: Any = str) -> Event:
            of = drawn(family, number)
            request, item = requested(world, len(ids), of, change(of.answer))
            ids[name] = item.id
            return ProblemDrafted.of(request, "problem_writer", item=item)

        async def all_ended() -> bool:
            curated, rejected = await world.events("sample.curated"), await world.events("problem.rejected")
            return {e.sample_id for e in curated} | {e.item.id for e in rejected} == set(ids.values())

        async with Line(stack, world, PLAN, SEED, ABLE, without=("planner",)) as line:
            await world.publish([draft("right", "nernst", 0)])
            await world.publish(draft(name, family, 1, change) for name, (family, change) in WRONG_KEYS.items())
            await world.publish([wrong_solution(draft("a right key, a wrong solution", "velocities", 2))])
            await until(all_ended, "the endings of wrong keys")
            for name, fault in (("cut off", "truncated"), ("empty", "empty")):
                await line.inject({"sim-solver": {"rates": {fault: 1.0}}})
                await world.publish([draft(name, "velocities", len(ids) + 1)])
                await until(all_ended, f"the ending of a solution that is {name}")
            rejected = {event.item.id: event for event in await world.events("problem.rejected")}
            await line.rest()
        found = await line.remains()
        yield Ended(ids, rejected, {UUID(row["id"]): row for row in found.rows})


def wrong_solution(drafted: Event) -> Event:
    """As if the item had been verified, and the solver had made a natural slip."""
    assert isinstance(drafted, ProblemDrafted)
    problem = Bank(SEED).find(drafted.item.written.statement)
    assert problem is not None
    slip = problem.slips[0]
    attempt = Attempt(
        index=0,
        reasoning=" ".join(problem.worked(slip)),
        solution=f"The answer is \\boxed{{{slip}}}",
        answer=slip,
        provenance=provenance(),
    )
    return SolutionSynthesized.of(drafted, "synthesis", item=drafted.item.with_(tier="verified"), attempt=attempt)


def test_a_right_key_that_everybody_finds_becomes_a_verified_row(ended: Ended) -> None:
    row = ended.row("right")
    assert (row["tier"], row["correct"], row["admission"]) == ("verified", True, "in")


@pytest.mark.parametrize("name", WRONG_KEYS)
def test_a_key_that_is_wrong_in_one_thing_is_disputed_by_the_blind_answers(ended: Ended, name: str) -> None:
    rejection = ended.rejected[ended.ids[name]]
    assert (rejection.service, rejection.reason) == ("panel", "key_disputed")
    truth = Bank(SEED).truth(rejection.item.written.statement)
    assert truth in rejection.detail


def test_a_wrong_solution_of_a_right_key_is_kept_but_not_for_fine_tuning(ended: Ended) -> None:
    row = ended.row("a right key, a wrong solution")
    assert (row["correct"], row["admission"], list(row["views"])) == (False, "aside", ["rl"])


@pytest.mark.parametrize(("name", "flaw"), [("cut off", "too_long"), ("empty", "empty")])
def test_a_solution_that_is_no_answer_is_neither_right_nor_wrong(ended: Ended, name: str, flaw: str) -> None:
    row = ended.row(name)
    assert (row["tier"], row["correct"], row["admission"]) == ("verified", None, "aside")
    assert flaw in row["flaws"]
