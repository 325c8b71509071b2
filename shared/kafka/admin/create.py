"""Creates a factory's Kafka topics and group offsets, and reports what was created. For charts and operators.

python -m shared.kafka.create [REPLICATION]     without the command line; settings come from the environment
"""

import asyncio
import sys
from dataclasses import dataclass

from schemas.flow import BY_TYPE, DEFAULT_PARTITIONS, FIXED_PARTITIONS, FLOW, TOPIC_IDS, consumed_by, consumers
from shared.config.connections import KafkaAccess
from shared.config.environment import read
from shared.config.settings import Connections
from shared.errors import Refusal
from shared.kafka.admin.initial_offsets import GroupStart, Initialised, plan_initial_offsets
from shared.kafka.admin.topics import provision, topic_ids, topic_settings
from shared.kafka.clients import open_admin
from shared.kafka.partitions import declared_partitions, find_partitions


@dataclass(frozen=True, slots=True)
class Created:
    """What was created, or would be in a dry run. Names are without the factory."""

    kafka_topics: tuple[str, ...]
    there: tuple[str, ...]
    """Kafka topics that existed already."""
    groups: tuple[str, ...]
    """Services whose groups got initial offsets in some Kafka topic."""
    starts: tuple[GroupStart, ...]
    """Starts in Kafka topics that existed before the group, and in partitions that were added."""
    raised: dict[str, int]
    """New numbers of partitions of Kafka topics that got more."""
    kept: dict[str, int]
    """Numbers of partitions of Kafka topics that were to get others and keep theirs."""


async def create(
    access: KafkaAccess,
    factory: str,
    replication: int = 1,
    *,
    from_beginning: bool = False,
    partitions: int | None = None,
    restore: bool = False,
    dry_run: bool = False,
) -> Created:
    """Provision the factory, with a number of partitions, by default that which there is.

    With `restore` groups that lost their offsets get new ones.

    Raises Refusal as `provision` does, KafkaError without a broker.
    """
    settings = topic_settings(factory, replication, partitions or DEFAULT_PARTITIONS)
    async with open_admin(access) as admin:
        existing = set(await admin.list_topics())
        there = tuple(name for name, topic in settings.items() if topic.name in existing)
        found = await find_partitions(admin, factory, {*there, *BY_TYPE})
    counts = {name: len(found[name]) for name in there}
    known = await topic_ids(access, factory) if TOPIC_IDS in there else {}
    groups = {name: known[name].groups for name in known if name in there}
    if dry_run:
        initialised = {name: Initialised(known[name].groups, known[name].partitions) for name in groups}
        new = {flow.name: Initialised(flow.consumers, flow.partitions) for flow in FLOW if flow.name not in there}
        starts = list(
            await plan_initial_offsets(
                access, factory, found, initialised | new, from_beginning=from_beginning, restore=restore
            )
        )
    else:
        starts = await provision(
            access,
            factory,
            replication,
            from_beginning=from_beginning,
            partitions=partitions or DEFAULT_PARTITIONS,
            restore=restore,
        )
    return Created(
        kafka_topics=tuple(name for name in settings if name not in there),
        there=there,
        groups=tuple(service for service in consumers() if _lacks(service, groups)),
        starts=tuple(starts),
        raised={name: settings[name].num_partitions for name in there if counts[name] < settings[name].num_partitions},
        kept={name: counts[name] for name in there if partitions and _keeps(name, counts[name], partitions)},
    )


def _keeps(name: str, count: int, partitions: int) -> bool:
    """Whether a Kafka topic that many processes share keeps another number of partitions than was requested."""
    return declared_partitions(name) > 1 and (count > partitions or (name in FIXED_PARTITIONS and count < partitions))


def _lacks(service: str, initialised: dict[str, tuple[str, ...]]) -> bool:
    return any(service not in initialised.get(flow.name, ()) for flow in consumed_by(service))


def main() -> None:
    """Run the command."""
    try:
        settings = read(Connections)
        done = asyncio.run(create(settings.kafka_access, settings.factory, int((sys.argv[1:] or ["1"])[0])))
    except Refusal as refusal:
        sys.exit(str(refusal))
    print(f"{len(done.kafka_topics)} Kafka topics created, {len(done.there)} existed")  # noqa: T201
    for start in done.starts:
        print(start)  # noqa: T201
