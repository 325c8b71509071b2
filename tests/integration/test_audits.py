"""Audit items on the real log: through the real checks to their own ending, and nowhere else."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from uuid import UUID

from schemas.audit_tag import AuditTag
from schemas.events import Event, ProblemDrafted, ProblemScreened, ProblemVerified, SolutionChecked
from schemas.flow import DEAD_LETTERS, FLOW
from schemas.identity import derive
from schemas.item import Item, Vote
from services.aggregator.handler import Curate
from services.cli.run.quiescence import is_drained
from services.panel.handler import JoinVerdicts
from services.screening.handler import ScreenProblem
from shared.cache.near_duplicates import ValkeyNearDuplicateIndex
from shared.clock import utc_now
from shared.config.connections import ValkeyAccess
from shared.dataset import Dataset, open_audits
from shared.dataset.reports.funnel import FOLLOWED
from shared.errors import Invalid, OverBudget
from shared.kafka.codec import audit_tag_of
from shared.kafka.faust.loop import FaustLoop
from shared.kafka.read.tail import tail
from shared.kafka.recorded_calls import recorded_calls
from shared.ports import TaggedEvent, TextFingerprint
from shared.runtime.service import Handler
from shared.runtime.sink import SinkLoop
from shared.runtime.stateless import StatelessLoop
from shared.text.contamination import Benchmarks
from tests.support.items import call, checked, item, plan, verdict
from tests.support.kafka_world import KafkaWorld, until

WRONG, MALFORMED, COSTLY, OPTIONS = (
    "A wrong key.",
    "A malformed verdict.",
    "A long one.",
    "Choose. (A) one (B) two (C) three (D) four",
)
SERVICES = {"auditor", "screening", "verifier-a", "verifier-b", "panel", "aggregator"}
ENDS = {"problem.accepted", "problem.rejected", "problem.parked", "sample.curated"}


async def audit(event: SolutionChecked) -> Iterable[TaggedEvent]:
    """Five audit items, one for each way to go."""

    def fresh(kind: str, statement: str) -> Item:
        problem = event.item.written.with_(statement=statement)
        bare = {"verdicts": (), "attempts": (), "tier": None, "probe": None, "lineage": ()}
        return event.item.with_(id=derive(event.item.id, f"audit/{kind}"), problem=problem, **bare)

    def mark(kind: str) -> AuditTag:
        return AuditTag(kind=kind, source=event.item.id, difficulty=0.75)

    return [
        TaggedEvent(ProblemDrafted.of(event, "auditor", fresh("options", OPTIONS)), mark("options")),
        TaggedEvent(ProblemScreened.of(event, "auditor", fresh("sign", WRONG), index=0), mark("sign")),
        TaggedEvent(ProblemScreened.of(event, "auditor", fresh("row", "Whole."), index=1), mark("control-row")),
        TaggedEvent(ProblemScreened.of(event, "auditor", fresh("ill", MALFORMED), index=2), mark("ill")),
        TaggedEvent(ProblemScreened.of(event, "auditor", fresh("costly", COSTLY), index=3), mark("costly")),
    ]


@dataclass(frozen=True)
class Verify:
    """Hits the key, unless it is wrong; knows nothing but the event."""

    role: str

    async def __call__(self, event: ProblemScreened) -> Iterable[Event]:
        if event.item.written.statement == MALFORMED and self.role == "verifier-a":
            raise Invalid("it cannot be verified")
        if event.item.written.statement == COSTLY and self.role == "verifier-a":
            raise OverBudget("the budget has no room")
        wrong = event.item.written.statement == WRONG
        vote = Vote(answer="41" if wrong else "42", agrees="no" if wrong else "yes", method="numeric")
        output = verdict(self.role).with_(votes=(vote,), problem_hash=event.item.written.hash)
        return [ProblemVerified.of(event, self.role, event.item, (call(self.role),), verdict=output)]


async def nothing() -> AsyncIterator[Sequence[tuple[TextFingerprint, UUID]]]:
    """What the log tells to have passed."""
    if False:
        yield []


async def line(world: KafkaWorld, running: AsyncExitStack) -> None:
    """Auditor, screening, verifiers, panel and aggregator, each with its real loop."""
    twins = ValkeyNearDuplicateIndex(
        ValkeyAccess(world.valkey), world.factory, "test", variants=3, decided_days=1, lease_s=3
    )
    running.push_async_callback(twins.close)
    assert await twins.rebuild(nothing()) == 0
    handlers: dict[str, Handler] = {
        "auditor": audit,
        "screening": ScreenProblem(twins, Benchmarks({})),
        **{role: Verify(role) for role in ("verifier-a", "verifier-b")},
    }
    for service, handle in handlers.items():
        settings = world.settings(service)
        outcomes = world.outcomes(settings)
        await running.enter_async_context(
            world.running(lambda made, h=handle, s=settings, o=outcomes: StatelessLoop(h, s, made, o))  # type: ignore[misc]
        )
    panel = JoinVerdicts({"verified"})
    await running.enter_async_context(world.running(lambda made: FaustLoop(panel, world.settings("panel"), made)))
    sink = Curate(world.folder, world.factory, plan(), utc_now, lambda _: None)
    settings = world.settings("aggregator", batch_s=0.1)
    await running.enter_async_context(world.running(lambda made: SinkLoop(sink, settings, made)))


async def test_audit_items_pass_the_real_checks_and_end_once_as_audits(world: KafkaWorld) -> None:
    source, ordinary = checked(1), item(2)
    bare = {"verdicts": (), "attempts": (), "tier": None, "probe": None}
    requested = ProblemScreened.of(ordinary[1], "screening", ordinary[0].with_(**bare))
    async with AsyncExitStack() as running:
        await world.publish([source, requested])
        await line(world, running)
        await until(lambda: is_drained(world.access, world.factory, SERVICES), "an end of everything")
        before = await world.records("audit.judged")
        for name in ("solution.checked", "problem.drafted", "problem.screened", "problem.verified", "audit.judged"):
            for record in await world.records(name):
                await world.put(name, record.key, record.value, list(record.headers))
        await until(lambda: is_drained(world.access, world.factory, SERVICES), "an end of every repetition")

    judged = {event.mark.kind: event for event in await world.events("audit.judged")}
    assert {kind: (event.accepted, event.reason) for kind, event in judged.items()} == {
        "options": (False, "multiple_choice"),
        "sign": (False, "key_disputed"),
        "control-row": (True, "verified"),
        "costly": (False, "not_judged"),
    }
    assert len(before) == 4
    contents = defaultdict(set)
    for record in await world.records("audit.judged"):
        contents[dict(record.headers)["ce_id"]].add((record.value, audit_tag_of(record.headers)))
    assert [len(reported) for reported in contents.values()] == [1, 1, 1, 1], "a repetition has another id or content"

    marked = {event.item.id for event in judged.values()} | {derive(source.item.id, "audit/ill")}
    for flow in FLOW:
        for record in await world.records(flow.name):
            about_audit = bool(record.key) and record.key.decode() in map(str, marked)
            assert about_audit == (audit_tag_of(record.headers) is not None), flow.name
            assert not (about_audit and flow.name in ENDS), flow.name
    (letter,) = await world.records(DEAD_LETTERS)  # a repetition of its event gives no second one
    assert audit_tag_of(letter.headers) == AuditTag(kind="ill", source=source.item.id, difficulty=0.75)
    assert {event.item.id for event in await world.events("problem.accepted")} == {requested.item.id}

    dataset = Dataset.open(world.folder)
    assert [row.id for row in dataset.rows] == [str(source.item.id)]
    assert len(dataset.ledger) == 0
    kept = {line.kind: line for line in open_audits(world.folder)}
    assert {kind: line.id for kind, line in kept.items()} == {k: str(event.item.id) for k, event in judged.items()}
    assert len(open_audits(world.folder)) == 4
    assert (kept["sign"].source, kept["sign"].difficulty) == (str(source.item.id), 0.75)

    heard = Counter[str]()
    names = [event.type for event in FOLLOWED]
    async with aclosing(tail(world.access, world.factory, names)) as events:
        async for event in events:
            if event is None and heard["audit.judged"]:
                break
            if event and event.trace in marked:
                heard[event.type] += 1
    assert set(heard) == {"audit.judged"}
    costs = Counter(call.role for call in await recorded_calls(world.access, world.factory))
    assert costs == {"judge": 1, "verifier-a": 3, "verifier-b": 5}, "what audits cost counts, and counts once"
