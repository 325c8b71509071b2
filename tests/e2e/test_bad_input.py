"""Malformed records on every consumed Kafka topic: each reader dead-letters each once, and neighbours pass."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self
from uuid import UUID

from aiokafka import AIOKafkaProducer, ConsumerRecord

from deploy.local.supervisor import Stack
from schemas.audit_tag import AuditTag
from schemas.config.plan import Plan, Subject
from schemas.config.policies import Solving
from schemas.events import (
    AuditJudged,
    EvaluationCompleted,
    Event,
    EvidenceGiven,
    EvidenceRequested,
    ProblemParked,
    ProblemRejected,
    ProblemReprobed,
    ProblemRequested,
    ProblemResolved,
    ProblemReverified,
    ProblemReviewed,
    SampleDeleted,
    SolutionRequested,
)
from schemas.flow import DEAD_LETTERS, FLOW
from schemas.identity import derive, factory_id
from schemas.item import Item, Topic
from schemas.run_tag import RunTag
from shared.errors import Invalid
from shared.kafka.clients import RECORD_LIMIT
from shared.kafka.codec import ADDRESSEE_HEADER, Message, decode, encode
from shared.kafka.names import kafka_topic
from tests.e2e.factory import lag
from tests.e2e.services_as_processes import Line
from tests.support.kafka_world import KafkaWorld, until

SEED = 3
PLAN = Plan(name="test", rows=2, subjects={"physics": Subject(topics=2)}, solving=Solving(retries=0, probe_attempts=1))
TOPIC = Topic(subject="physics", field="mechanics", subfield="rigid bodies", name="gyroscopes")
Place = tuple[str, int, int]
"""Kafka topic (its name in the flow), partition, offset."""

ENDS = ("solution.checked", "problem.rejected")
READ = [flow for flow in FLOW if set(flow.consumers) - {"trainer"}]


def bad_records(good: Message) -> Iterator[Message]:
    """Records that are no events, made from one that is."""
    value, headers = good.value or b"", dict(good.headers)
    own_id = headers["ce_id"]
    for broken in (
        value[:-20],
        b"[1, 2]",
        value.replace(b'"cause":{', b'"cause":[', 1),
        None,
        b"",
        b'{"x": "' + b"x" * 9 * 1024 * 1024 + b'"}',
        b"[" * 100_000,
        value[:-1] + b',"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        value[:-1] + b',"x":"\xff\xfe"}',
        value[:-1] + b',"x":"\\ud800"}',
        value.replace(own_id, b"not an id", 1),
        value.replace(own_id, b"00000000-0000-0000-0000-000000000000", 1),
    ):
        yield replace(good, value=broken)
    for changed in ({"ce_type": headers["ce_type"][:-1] + b"9"}, {"ce_type": b"\xff"}, {"ce_id": b"another"}):
        yield replace(good, headers=[*(headers | changed).items()])
    for missing in ("ce_type", "ce_id"):
        yield replace(good, headers=[header for header in good.headers if header[0] != missing])
    for mark in (b"{", b"\xff", b'{"source":"a row"}'):
        yield replace(good, headers=[*good.headers, ("ce_audit", mark)])
    yield replace(good, headers=[])
    yield replace(good, key=b"another")
    yield replace(good, key=b"\xff")
    yield replace(good, key=None)


def with_an_unknown_field(good: Message) -> Message:
    return replace(good, value=(good.value or b"")[:-1] + b',"novelty":{"a":[1]}}')


def unheard_of(world: KafkaWorld, item: Item) -> list[Event]:
    """Events that nobody may have published in this run, about things that nobody knows."""
    root = factory_id(world.factory)
    nobody = derive(root, "nobody")
    unknown = item.with_(id=nobody)
    deleted: dict[str, Any] = {
        "sample_id": nobody,
        "subject": "physics",
        "admission": "aside",
        "decision": "a test",
        "row_hash": "?",
    }
    ended_well: dict[str, Any] = {"accepted": True, "reason": "verified", "detail": "a test"}
    return [
        ProblemRejected.root(nobody, "probe", item=unknown, reason="too_easy", detail="a test"),
        SolutionRequested.root(nobody, "answer_checker", item=unknown),
        ProblemParked.root(nobody, "probe", problem_id=nobody, service="probe", error="Invalid", message="a test"),
        SampleDeleted.root(nobody, "cli", **deleted),
        EvaluationCompleted.root(nobody, "trainer", plan="test", release=1, run=nobody, scores=()),
        judged(nobody, unknown),
        requested := EvidenceRequested.numbered(unknown, "vote", "verifier-a", 0),
        EvidenceGiven.answer(requested, unable="a test"),
        ProblemReverified.root(
            nobody, "panel", item=unknown, run=RunTag(run="a test", problem=nobody, believed=True), **ended_well
        ),
        ProblemResolved.root(
            *(nobody, "answer_checker"),
            item=unknown,
            run=RunTag(run="a test", kind="resolve", problem=nobody, believed=True),
            disputed=None,
        ),
        ProblemReprobed.root(
            nobody, "probe", item=unknown, run=RunTag(run="a test", kind="probe", problem=nobody, believed=True)
        ),
        ProblemReviewed.root(nobody, "cli", item=unknown, decision="reject", reviewer="Ada", reason="a test"),
    ]


def judged(cause: UUID, item: Item) -> AuditJudged:
    reported: dict[str, Any] = {"accepted": True, "reason": "verified", "detail": "a test", "found": {}}
    return AuditJudged.root(cause, "panel", item=item, mark=AuditTag(kind="sign"), **reported)


async def test_bad_records_become_dead_letters_and_good_ones_become_rows(stack: Stack, world: KafkaWorld) -> None:
    newer = Topic(**dict(TOPIC), era="modern")  # a field of a later version
    parent = TOPIC.id(factory_id(world.factory))
    neighbours = [
        ProblemRequested.root(parent, "planner", number, plan="test", topic=newer, answer_type="number")
        for number in range(len(READ))
    ]
    async with Line(stack, world, PLAN, SEED) as line, Producing(world) as producing:
        await line.grown()
        (first, *_) = await readable(world, "solution.checked")
        samples = {event.type: encode(event, "test") for event in unheard_of(world, first.item)}
        samples |= {event.type: encode(event, "test") for flow in READ for event in await readable(world, flow.name)}
        for flow, neighbour in zip(READ, neighbours, strict=True):
            await world.publish([neighbour])
            await producing.put(with_an_unknown_field(samples[flow.name]))
            for bad in bad_records(samples[flow.name]):
                await producing.put_bad(bad)
        await until(lambda: ended(world, neighbours), "an end of every neighbour")
        await until(lambda: nothing_left(world), "every group at the end of its Kafka topics")

    letters = await world.records(DEAD_LETTERS)
    origins = [origin(letter) for letter in letters]
    readers = {flow.name: set(flow.consumers) - {"trainer"} for flow in READ}
    expected = Counter(
        (service, place)
        for place, bad in producing.bad.items()
        for service in readers[place[0]]
        if dict(bad.headers).get(ADDRESSEE_HEADER) in (None, service.encode())
    )
    assert Counter(origins) == expected, "not once for each group that reads it"
    for letter, (_, place) in zip(letters, origins, strict=True):
        bad = producing.bad[place]
        assert (letter.key, letter.value) == (bad.key, bad.value)
        assert list(letter.headers[: len(bad.headers)]) == bad.headers
        assert dict(letter.headers)["chimera-error"] == b"Invalid"
    items = [event.item for name in ENDS for event in await readable(world, name)]
    eras = {item.id: item.topic.model_dump().get("era") for item in items}
    assert {eras[neighbour.id] for neighbour in neighbours} == {"modern"}, "an unknown field was lost on the way"


class Producing:
    """Puts records on the log, compressed as services do, and remembers where the bad ones lie."""

    def __init__(self, world: KafkaWorld) -> None:
        self._world = world
        self._kafka = AIOKafkaProducer(
            bootstrap_servers=world.kafka, max_request_size=RECORD_LIMIT, compression_type="zstd"
        )
        self.bad: dict[Place, Message] = {}

    async def __aenter__(self) -> Self:
        await self._kafka.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._kafka.stop()

    async def put(self, message: Message) -> Place:
        topic = kafka_topic(self._world.factory, message.name)
        sent = await self._kafka.send_and_wait(topic, message.value, message.key, headers=message.headers)
        return message.name, sent.partition, sent.offset

    async def put_bad(self, message: Message) -> None:
        self.bad[await self.put(message)] = message


def origin(letter: ConsumerRecord) -> tuple[str, Place]:
    """Which service put it aside, and where it lay."""
    output = {name: value.decode() for name, value in letter.headers if name.startswith("chimera-")}
    place = (output["chimera-kafka-topic"], int(output["chimera-partition"]), int(output["chimera-offset"]))
    return output["chimera-service"], place


async def readable(world: KafkaWorld, name: str) -> list[Any]:
    """Every event on a Kafka topic, among records that are none."""
    found = []
    for record in await world.records(name):
        with suppress(Invalid):
            found.append(decode(name, record.key, record.value, record.headers))
    return found


async def ended(world: KafkaWorld, neighbours: list[ProblemRequested]) -> bool:
    return {each.id for each in neighbours} <= {e.item.id for name in ENDS for e in await readable(world, name)}


async def nothing_left(world: KafkaWorld) -> bool:
    return not any((await lag(world)).values())
