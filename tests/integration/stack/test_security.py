"""TLS, passwords and grants, on a real broker that insists on all three."""

import asyncio
import json
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from schemas.events import Event, ProblemDrafted, ProblemScreened, ProblemVerified, SubjectRequested, TopicExpanded
from schemas.flow import DEAD_LETTERS
from schemas.item import Problem, Topic, Vote
from services.planner import plans
from shared.cache.client import connect, retry_while_unavailable
from shared.cache.idempotency import IdempotencyStore
from shared.config.connections import SaslCredentials, ValkeyAccess
from shared.errors import Refusal
from shared.kafka.admin.acls import OPERATOR
from shared.kafka.admin.readiness import missing_topics
from shared.kafka.admin.topics import provision
from shared.kafka.clients import Producer, TopicPartition, create_group_consumer, open_admin, open_reader
from shared.kafka.codec import Message
from shared.kafka.connection import translate_denials
from shared.kafka.names import group, kafka_topic
from shared.runtime.stateless import StatelessLoop
from tests.support.items import checked, item, verdict
from tests.support.kafka_world import KafkaWorld, until
from tests.support.tls_kafka import FACTORY, STRANGER, TlsKafka, password, tls_before, tls_kafka, user

PLAN = Path(plans.__path__[0]) / "demo.yaml"
STATEMENT = "How many orientation-preserving isometries does the standard lens space with these numbers have?"
FOREIGN = [  # service, what it may not read, what it may not write
    ("screening", "problem.requested", "problem.accepted"),
    ("planner", "training.triggered", "problem.drafted"),
    ("aggregator", "problem.verified", "problem.rejected"),
    ("panel", "problem.requested", "problem.verified"),
]


@pytest.fixture(scope="module")
async def factory(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TlsKafka]:
    async with tls_kafka(tmp_path_factory.mktemp("secured")) as factory:
        yield factory


@pytest.fixture
async def world(factory: TlsKafka, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    async with factory.world(tmp_path) as world:
        yield world


async def process(world: KafkaWorld, service: str, access: dict[str, Any]) -> Process:
    env = world.env(service, plan=PLAN, dataset=world.folder / "dataset", **access)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"services.{service}", env=env, stdout=DEVNULL, stderr=PIPE
    )


@asynccontextmanager
async def running(world: KafkaWorld, service: str, access: dict[str, Any]) -> AsyncIterator[None]:
    child = await process(world, service, access)
    try:
        yield
    finally:
        if child.returncode is None:
            child.terminate()
        _, output = await child.communicate()
        assert child.returncode == 0, output.decode()


async def ended(world: KafkaWorld, service: str, access: dict[str, Any]) -> str:
    """Run a process until it exits; returns its last line. Its output must hold no password."""
    child = await process(world, service, access)
    try:
        _, output = await asyncio.wait_for(child.communicate(), 30)
    except TimeoutError:
        child.kill()
        raise
    text = output.decode()
    assert child.returncode == 1, text
    assert "Traceback" not in text
    assert "hush" not in text
    (last,) = [line["message"] for line in map(json.loads, text.splitlines()) if line["level"] == "critical"]
    return str(last)


def drafted() -> ProblemDrafted:
    made, requested = item(1)
    problem = Problem(statement=STATEMENT, answer="42", answer_type="number", rationale="")
    return ProblemDrafted.of(requested, "problem_writer", made.with_(problem=problem))


def verified() -> list[ProblemVerified]:
    made, requested = item(2)
    bare = made.with_(verdicts=(), tier=None, tier_reason=None, attempts=())
    screened = ProblemScreened.of(requested, "screening", bare)
    hit: dict[str, Any] = {"votes": (Vote(answer="42", agrees="yes", method="numeric"),)}
    return [
        ProblemVerified.of(screened, role, bare, verdict=verdict(role).with_(problem_hash=made.written.hash, **hit))
        for role in ("verifier-a", "verifier-b")
    ]


def expanded(request: SubjectRequested) -> TopicExpanded:
    topics = (Topic(subject=request.subject, field="f", subfield="s", name="n"),)
    about: dict[str, Any] = {
        "plan": request.plan,
        "subject": request.subject,
        "wanted": request.wanted,
        "topics": topics,
    }
    return TopicExpanded.after(request, "expansion", **about)


async def test_every_kind_of_service_works_as_its_own_user(factory: TlsKafka, world: KafkaWorld) -> None:
    def some(name: str) -> Callable[[], Awaitable[bool]]:
        async def there() -> bool:
            return bool(await world.records(name))

        return there

    async with AsyncExitStack() as services:
        for service in ("screening", "panel", "planner", "aggregator"):
            await services.enter_async_context(running(world, service, factory.env(service)))
        await world.publish([drafted(), *verified(), checked(3)])
        await world.put("problem.drafted", str(item(4)[0].id).encode(), b"no event")
        await until(some("subject.requested"), "the planner's first words")
        await world.publish([expanded((await world.events("subject.requested"))[0])])
        for name in ("problem.requested", "problem.screened", "problem.probed", "sample.curated"):
            await until(some(name), name)
        await until(some("problem.parked"), "what nobody can handle, put aside")
    assert len(await world.records(DEAD_LETTERS)) == 1


@pytest.mark.parametrize(("service", "foreign", "theirs"), FOREIGN)
async def test_a_service_is_refused_what_the_flow_does_not_give_it(
    factory: TlsKafka, service: str, foreign: str, theirs: str
) -> None:
    access, topic = factory.access(service), kafka_topic(FACTORY, foreign)
    producer = Producer(access, FACTORY)
    await producer.start()
    try:
        with pytest.raises(Refusal, match=rf"{user(service)} use .*{theirs}"), translate_denials(access):
            await producer.publish([Message(theirs, b"k", b"v", [])])
    finally:
        await producer.stop()
    with pytest.raises(Refusal, match=rf"{user(service)} use .*{topic}"):
        await missing_topics(access, [topic])
    stranger = create_group_consumer(access, group(FACTORY, "expansion"))
    await stranger.start()
    try:
        stranger.subscribe([kafka_topic(FACTORY, "problem.parked")])
        with (
            pytest.raises(Refusal, match=rf"{user(service)} use .*group {FACTORY}.expansion"),
            translate_denials(access),
        ):
            await stranger.getmany(timeout_ms=5000)
    finally:
        await stranger.stop()


async def test_services_log_in_with_tokens_of_an_issuer_or_of_a_file(factory: TlsKafka, world: KafkaWorld) -> None:
    file = factory.folder / "token"
    file.write_text(factory.issuer.token(user("screening")))
    async with factory.issuer.serve({user("panel"): password("panel")}) as url, AsyncExitStack() as services:
        by_issuer = {**factory.env("panel"), "kafka_sasl": "OAUTHBEARER", "kafka_token_url": url}
        without = ("kafka_username", "kafka_password_file", "kafka_token_url")
        by_file = {name: value for name, value in by_issuer.items() if name not in without}
        wrong = {**by_issuer, "kafka_username": user("screening")}
        refused = await ended(world, "screening", wrong)
        await services.enter_async_context(running(world, "panel", by_issuer))
        await services.enter_async_context(running(world, "screening", {**by_file, "kafka_token_file": file}))
        before = await finished(world)
        await world.publish([drafted(), *verified()])
        await until(lambda: all_finished(world, before), "the events of both")
    assert f"refuses user {user('screening')}" in refused
    assert f"{url} gives no token: 401" in refused
    assert set(factory.issuer.issued) == {user("panel")}


async def finished(world: KafkaWorld) -> list[int]:
    groups = (("screening", "problem.drafted"), ("panel", "problem.verified"))
    return [sum((await world.committed(service, name)).values()) for service, name in groups]


async def all_finished(world: KafkaWorld, before: list[int]) -> bool:
    return await finished(world) == [before[0] + 1, before[1] + 2]


async def test_what_may_be_written_may_not_be_read(factory: TlsKafka) -> None:
    access, theirs = factory.access("panel"), TopicPartition(kafka_topic(FACTORY, "problem.accepted"), 0)
    async with open_reader(access) as reader:
        reader.assign([theirs])
        with pytest.raises(Refusal, match=r"problem\.accepted"), translate_denials(access):
            await reader.getmany(timeout_ms=5000)


async def test_producing_to_a_forbidden_topic_stops_the_process_uncommitted(
    factory: TlsKafka, world: KafkaWorld
) -> None:
    settings = world.settings("problem_writer", **factory.env("problem_writer"))

    async def handle(_: Any) -> Iterable[Event]:
        return [drafted(), checked(5)]

    def loop(producer: Producer) -> StatelessLoop:
        outcomes: IdempotencyStore = world.outcomes(settings)
        return StatelessLoop(handle, settings, producer, outcomes)

    await world.publish(world.requests(1))
    access = settings.kafka_access
    async with world.running(loop, Producer(access, FACTORY)) as task:
        with pytest.raises(Refusal, match=r"topic .*solution\.checked"), translate_denials(access):
            await task
    assert set((await world.committed("problem_writer", "problem.requested")).values()) == {0}


async def test_a_process_that_cannot_log_in_says_why_and_consumes_nothing(factory: TlsKafka, world: KafkaWorld) -> None:
    wrong = factory.folder / "wrong.password"
    wrong.write_text("hush-hush")
    other = factory.folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    before = await world.committed("screening", "problem.drafted")
    access = factory.env("screening")
    output = await asyncio.gather(
        ended(world, "screening", {**access, "kafka_password_file": wrong}),
        ended(world, "screening", {**access, "kafka_ca": other}),
        ended(world, "screening", factory.env("expansion")),
    )
    assert f"Kafka at {factory.servers} refuses user {user('screening')}" in output[0]
    assert f"Kafka at {factory.servers} presents a certificate that is not trusted" in output[1]
    assert f"Kafka at {factory.servers} does not let {user('expansion')} use topic {FACTORY}." in output[2]
    assert await world.committed("screening", "problem.drafted") == before


async def test_a_missing_kafka_topic_is_awaited_and_not_taken_for_a_hidden_one(
    factory: TlsKafka, world: KafkaWorld
) -> None:
    missing = kafka_topic(FACTORY, "problem.screened")
    async with open_admin(factory.access(OPERATOR)) as admin:
        await admin.delete_topics([missing])
    async with world.process("services.screening", "screening", plan=PLAN, **factory.env("screening")) as process:
        await until(
            lambda: process.output(f"Kafka topics do not exist: {missing}. Create"), "a word about the Kafka topic"
        )
        await provision(factory.access(OPERATOR), FACTORY)
        await process.ready()


async def test_a_user_without_any_grant_is_refused_at_the_start(factory: TlsKafka) -> None:
    with pytest.raises(Refusal, match=rf"{user(STRANGER)} use any topic"):
        await Producer(factory.access(STRANGER), FACTORY).start()


async def test_a_login_that_the_broker_does_not_offer_is_refused(factory: TlsKafka) -> None:
    login = SaslCredentials("SCRAM-SHA-256", user("screening"), SecretStr(password("screening")))
    with pytest.raises(Refusal, match="refuses user"):
        await Producer(factory.access("screening", login=login), FACTORY).start()


async def test_valkey_is_reached_by_tls_with_a_password(
    factory: TlsKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with tls_before(factory.valkey.port, factory.authority) as port:
        url, secret = f"rediss://127.0.0.1:{port}/0", SecretStr(factory.valkey.password)
        client = connect(ValkeyAccess(url, factory.tls.ca, secret))
        assert await client.ping()
        await client.aclose()
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        wrong = {
            "certificate verify failed": ValkeyAccess(url, tmp_path / "other.pem", secret),
            "authentication failed": ValkeyAccess(url, factory.tls.ca, SecretStr("hush")),
        }
        for what, access in wrong.items():
            client = connect(access)
            with caplog.at_level(logging.WARNING):
                task = asyncio.create_task(retry_while_unavailable(client.ping))
                await until(lambda what=what: _soon(what in caplog.text), what)  # type: ignore[misc]
                assert not task.done()
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await client.aclose()
    assert "hush" not in caplog.text


async def _soon(value: bool) -> bool:
    return value
