"""Two versions of an event on one log: each is read by both, and nothing that a reader does not know gets lost."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import ClassVar

from schemas.events import ProblemAccepted, ProblemDrafted, ProblemRequested, ProblemScreened, ProblemVerified
from schemas.item import Item, Judgement, Problem, Topic, Verdict, Vote
from shared.kafka.codec import encode
from tests.support.kafka_world import KafkaWorld, until
from tests.support.planning import demo_with_probe

STATEMENT = "How many sides has a triangle that lies in the Euclidean plane, variant {}?"


class NextTopic(Topic):
    era: str | None = None


class NextItem(Item):
    topic: NextTopic
    hint: str | None = None


class NextDrafted(ProblemDrafted):
    """Version N+1: one more field at the top, in the item, and in the topic inside the item."""

    item: NextItem
    mood: str | None = None


class NextScreened(ProblemScreened):
    item: NextItem


class NextVerdict(Verdict):
    confidence: float | None = None


class NextVerified(ProblemVerified):
    verdict: NextVerdict


class NextAccepted(ProblemAccepted):
    item: NextItem


class OtherDrafted(ProblemDrafted):
    """The next major."""

    major: ClassVar[int] = 2


def problem(number: int) -> Problem:
    return Problem(statement=STATEMENT.format(number), answer="8128", answer_type="number", rationale="It has many.")


def drafted(request: ProblemRequested, number: int) -> ProblemDrafted:
    return ProblemDrafted.of(request, "problem_writer", request.item.with_(problem=problem(number)))


def next_drafted(request: ProblemRequested, number: int) -> NextDrafted:
    topic = NextTopic(**request.topic.model_dump(), era="modern")
    item = NextItem(id=request.id, plan=request.plan, topic=topic, problem=problem(number), hint="count them")
    return NextDrafted.of(request, "problem_writer", item, mood="bright")


@asynccontextmanager
async def services(world: KafkaWorld, *names: str) -> AsyncIterator[None]:
    async with AsyncExitStack() as running:
        plan = demo_with_probe(world.folder)
        started = [
            await running.enter_async_context(world.process(f"services.{name}", name, plan=plan)) for name in names
        ]
        for process in started:
            await process.ready()
        yield


async def test_newer_fields_pass_through_and_a_newer_major_is_a_dead_letter(
    world: KafkaWorld,
) -> None:
    old, new, other = world.requests(3)
    unreadable = OtherDrafted.of(other, "problem_writer", other.item.with_(problem=problem(3)))
    await world.publish([drafted(old, 1), unreadable, next_drafted(new, 2)])
    async with services(world, "screening", "panel"):
        await until(lambda: on_log(world, "problem.screened", 2), "both versions screened")
        await world.publish(verified for event in await world.events("problem.screened") for verified in judged(event))
        await until(lambda: on_log(world, "problem.accepted", 2), "both versions accepted")

    (letter,) = await world.records("dead-letters")
    assert letter.value == encode(unreadable, "").value
    assert b"expected chimera.problem.drafted.v1" in dict(letter.headers)["chimera-message"]
    for name, reader in (("problem.screened", NextScreened), ("problem.accepted", NextAccepted)):
        read = [reader.model_validate_json(record.value) for record in await world.records(name)]
        output = {event.item.id: (event.item.hint, event.item.topic.era) for event in read}
        assert output == {old.id: (None, None), new.id: ("count them", "modern")}, name
    for event in await world.events("problem.accepted"):
        confidence = [NextVerdict(**verdict.model_dump()).confidence for verdict in event.item.verdicts]
        assert confidence == [None, 0.9], "the verdicts of an older and a newer verifier on one problem"


def judged(event: ProblemScreened) -> list[ProblemVerified]:
    """Verdicts of an older verifier-a and a newer verifier-b."""
    good = Judgement(
        well_posed=True, self_contained=True, unique_answer=True, correct=True, on_topic=True, hard_enough=True,
        open_problem=False, reason="fine",
    )  # fmt: skip
    votes = (Vote(answer="8128", agrees="yes", method="test"),)
    output = {"problem_hash": event.item.written.hash, "votes": votes, "judgement": good}
    older = Verdict(role="verifier-a", model="a", **output)
    newer = NextVerdict(role="verifier-b", model="b", confidence=0.9, **output)
    return [
        ProblemVerified.of(event, older.role, event.item, verdict=older),
        NextVerified.of(event, newer.role, event.item, verdict=newer),
    ]


async def test_a_decision_stored_by_an_older_panel_is_published_and_then_shrinks(
    world: KafkaWorld,
) -> None:
    decided, waiting = ([*judged(screened)] for screened in map(screened_by_hand, world.requests(2)))
    accepted = ProblemAccepted.of(decided[0], "panel", decided[0].item.with_(tier="verified"))
    output = {"verdict": waiting[0].verdict.model_dump(mode="json"), "lineage": []}
    for event, kept in (
        (decided[0], {"heard": [], "accepted": accepted.model_dump(mode="json"), "rejected": None}),
        (waiting[0], {"heard": [output], "accepted": None, "rejected": None}),
    ):
        case = json.dumps({"problem_hash": event.verdict.problem_hash, **kept}).encode()
        await world.put("panel-cases-changelog", event.key.encode(), case)
    await world.publish([*decided, waiting[1]])

    async def both_shrank() -> bool:
        left = {record.key: record.value for record in await world.records("panel-cases-changelog")}
        return max(len(case) for case in left.values()) < 120

    async with services(world, "panel"):
        await until(both_shrank, "a decision published, one made, and nothing left of either")
    published = {record.key: record.value for record in await world.records("problem.accepted")}
    assert published.keys() == {event.key.encode() for event in (decided[0], waiting[0])}
    assert published[decided[0].key.encode()] == encode(accepted, "").value
    assert await on_log(world, "problem.accepted", 2)


def screened_by_hand(request: ProblemRequested) -> ProblemScreened:
    return ProblemScreened.of(request, "screening", request.item.with_(problem=problem(1)))


async def on_log(world: KafkaWorld, name: str, number: int) -> bool:
    return len(await world.records(name)) == number
