"""Initial offsets of consumer groups, committed once per group and Kafka topic.

In a new Kafka topic a group starts at the beginning, and so does every group in partitions that were added to a Kafka
topic. In one that existed before the group, it starts at the end, unless the caller chooses the beginning: its earlier
records would be handled, and paid for, again.

On request a group that lost its offsets, such as after the broker's `offsets.retention.minutes` without a member,
resumes at the beginning of Kafka topics whose finished records are deleted, and at the end of retained ones.

A broker accepts commits for a group with members only from a member. So the commit joins such a group for a moment,
without a subscription: it gets no partitions, and the other members continue after one rebalance.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import CommitFailedError, InconsistentGroupProtocolError
from aiokafka.structs import OffsetAndMetadata

from schemas.flow import FLOW, SERVICE, Flow
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.clients import create_group_consumer, leave_group, open_admin, open_reader
from shared.kafka.consume.assignors import SingleActiveAssignor
from shared.kafka.lag import committed_offsets, offset_bounds
from shared.kafka.names import group, kafka_topic

JOIN_TIMEOUT_S = 90.0
"""Longest wait for the other members of a group, which first finish or release their records."""
EXPIRY_S = 60.0
"""Longest wait for members that were killed; the broker drops them after the session timeout, 45 s by default."""
EXPIRY_POLL_S = 1.0
BEGINNING, END = "beginning", "end"
COMMITS = 3
"""Attempts to commit as a member: another rebalance may interrupt one."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """Services whose groups have initial offsets in a Kafka topic, and the number of its partitions at that time."""

    groups: tuple[str, ...]
    partitions: int


@dataclass(frozen=True, slots=True)
class GroupStart:
    """The start of one group in one Kafka topic."""

    service: str
    kafka_topic: str
    """Name without the factory."""
    at: str
    """`beginning` or `end`."""
    skipped: int
    """Existing records before the start, which the group does not handle."""
    ahead: int
    """Existing records from the start on."""
    restored: bool = False
    """Whether the group had lost its offsets."""

    def __str__(self) -> str:
        if self.restored:
            records = f"{self.skipped:,} records are not" if self.at == END else f"{self.ahead:,} records are"
            return f"{self.service} resumes at the {self.at} of {self.kafka_topic}: {records} handled again"
        start = f"{self.service} starts at the {self.at} of {self.kafka_topic}"
        if self.skipped:
            return f"{start}: {self.skipped:,} earlier records are not handled (--start beginning handles them)"
        return f"{start}: {self.ahead:,} existing records are handled" if self.ahead else start


@dataclass(frozen=True, slots=True)
class _Gap:
    """Partitions of one Kafka topic in which a group may have no offset, and where it starts in them."""

    flow: Flow
    service: str
    partitions: list[TopicPartition]
    at: str
    lost: bool = False


InitialOffsets = dict[GroupStart, dict[TopicPartition, int]]
"""Offsets to commit. Without partitions in which the group has committed an offset already."""


async def plan_initial_offsets(
    access: KafkaAccess,
    factory: str,
    found: Mapping[str, list[TopicPartition]],
    existing: Mapping[str, Initialised],
    *,
    from_beginning: bool,
    restore: bool = False,
) -> InitialOffsets:
    """Plan the missing initial offsets; with `restore` also those that groups have lost.

    By Kafka topic, `found` holds its partitions, `existing` which groups have offsets in how many of them.
    """
    gaps = [
        gap
        for flow in FLOW
        for name in flow.consumers
        for gap in _gaps(flow, name, found[flow.name], existing.get(flow.name), from_beginning, restore)
        if gap.partitions
    ]
    if not gaps:
        return {}
    async with open_admin(access) as admin:
        committed = [
            await committed_offsets(admin, factory, gap.service, gap.partitions)
            if gap.flow.name in existing
            else dict.fromkeys(gap.partitions)
            for gap in gaps
        ]
    async with open_reader(access) as reader:
        starts, ends = await offset_bounds(reader, {partition for offsets in committed for partition in offsets})
    planned: InitialOffsets = {}
    for gap, offsets in zip(gaps, committed, strict=True):
        chosen = {p: starts[p] if gap.at == BEGINNING else ends[p] for p, offset in offsets.items() if offset is None}
        skipped = sum(offset - starts[p] for p, offset in chosen.items())
        ahead = sum(ends[p] - offset for p, offset in chosen.items())
        if chosen:
            planned[GroupStart(gap.service, gap.flow.name, gap.at, skipped, ahead, gap.lost)] = chosen
    return planned


def _gaps(
    flow: Flow,
    service: str,
    partitions: list[TopicPartition],
    initialised: Initialised | None,
    from_beginning: bool,
    restore: bool,
) -> Iterator[_Gap]:
    """Partitions in which a group never got an initial offset; with `restore` also those in which it may have lost it.

    Finished records of a retained Kafka topic stay, so a group that lost its offset there resumes at the end.
    """
    if initialised is None:
        yield _Gap(flow, service, partitions, BEGINNING)
    elif service not in initialised.groups:
        yield _Gap(flow, service, partitions, BEGINNING if from_beginning else END)
    else:
        yield _Gap(flow, service, partitions[initialised.partitions :], BEGINNING)
        if restore:
            yield _Gap(flow, service, partitions[: initialised.partitions], END if flow.retained else BEGINNING, True)


async def commit_initial_offsets(access: KafkaAccess, factory: str, planned: InitialOffsets) -> None:
    """Commit planned offsets, group by group. Raises Refusal when the members of a group do not let this one join."""
    by_service: dict[str, dict[TopicPartition, int]] = {}
    for start, offsets in planned.items():
        by_service.setdefault(start.service, {}).update(offsets)
    await asyncio.gather(*(_commit(access, factory, service, offsets) for service, offsets in by_service.items()))


async def _commit(access: KafkaAccess, factory: str, service: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit the offsets of one group. Waits for the expiry of killed members that this one cannot join, as Faust's."""
    deadline = monotonic() + EXPIRY_S
    while True:
        try:
            return await _commit_once(access, factory, service, offsets)
        except InconsistentGroupProtocolError as error:
            if monotonic() >= deadline:
                raise _refusal(group(factory, service), error) from error
            await asyncio.sleep(EXPIRY_POLL_S)


def _refusal(name: str, error: BaseException) -> Refusal:
    return Refusal(
        f"Group {name} has members that do not let it commit initial offsets ({type(error).__name__})",
        f"Stop every process of {name}, then try again",
    )


async def _commit_once(access: KafkaAccess, factory: str, service: str, offsets: Mapping[TopicPartition, int]) -> None:
    committer = create_group_consumer(access, group(factory, service))
    await committer.start()
    try:
        committer.assign(list(offsets))
        await committer.commit(dict(offsets))
    except CommitFailedError:
        await _commit_as_member(access, factory, service, offsets)
    finally:
        await committer.stop()


async def _commit_as_member(
    access: KafkaAccess, factory: str, service: str, offsets: Mapping[TopicPartition, int]
) -> None:
    name = group(factory, service)
    single_active = service in SERVICE and SERVICE[service].single_active
    assignor = _SilentSingleActive if single_active else _SilentRoundRobin
    consumer = create_group_consumer(access, name, assignor=assignor, client_id=f"~{name}")
    await consumer.start()
    try:
        async with asyncio.timeout(JOIN_TIMEOUT_S):
            await _join_and_commit(consumer, kafka_topic(factory, FLOW[0].name), offsets)
    except (TimeoutError, CommitFailedError) as error:
        raise _refusal(name, error) from error
    finally:
        await leave_group(consumer)


async def _join_and_commit(consumer: AIOKafkaConsumer, topic: str, offsets: Mapping[TopicPartition, int]) -> None:
    joined = _Joined()
    consumer.subscribe([topic], listener=joined)  # the assignor does not pass it on
    for attempt in range(COMMITS):
        while not joined.event.is_set():
            await consumer.getmany(timeout_ms=100)
        try:
            # the public method refuses partitions that are not assigned; the broker does not
            marked = {partition: OffsetAndMetadata(offset, "") for partition, offset in offsets.items()}
            await consumer._coordinator.commit_offsets(None, marked)
            break
        except CommitFailedError:
            joined.event.clear()
            if attempt == COMMITS - 1:
                raise


class _Joined(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        self.event.clear()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self.event.set()


class _SilentRoundRobin(RoundRobinPartitionAssignor):  # type: ignore[misc]
    """Joins without a subscription, so that it gets no partitions."""

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        return ConsumerProtocolMemberMetadata(cls.version, [], b"")


class _SilentSingleActive(SingleActiveAssignor):
    """Joins without a subscription. Its client id sorts last, so that it never becomes the active member."""

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        return super().metadata([])
