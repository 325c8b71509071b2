"""Creates a factory's Kafka topics and group offsets, and reports what was created. For charts and operators.

python -m shared.kafka.create [REPLICATION]     without the command line; settings come from the environment
"""

import asyncio
import sys
from dataclasses import dataclass

from schemas.flow import FLOW, TOPIC_IDS, consumed_by, consumers
from shared.config.connections import KafkaAccess
from shared.config.environment import read
from shared.config.settings import Connections
from shared.errors import Refusal
from shared.kafka.admin.initial_offsets import GroupStart, plan_initial_offsets
from shared.kafka.admin.topics import provision, topic_ids, topic_settings
from shared.kafka.clients import open_admin
from shared.kafka.names import kafka_topic


@dataclass(frozen=True, slots=True)
class Created:
    """What was created, or would be in a dry run. Names are without the factory."""

    kafka_topics: tuple[str, ...]
    there: tuple[str, ...]
    """Kafka topics that existed already."""
    groups: tuple[str, ...]
    """Services whose groups got initial offsets in some Kafka topic."""
    starts: tuple[GroupStart, ...]
    """Their starts in Kafka topics that existed before the group."""


async def create(
    access: KafkaAccess,
    factory: str,
    replication: int = 1,
    *,
    from_beginning: bool = False,
    dry_run: bool = False,
) -> Created:
    """Provision the factory. Raises Refusal as `provision` does, KafkaError without a broker."""
    async with open_admin(access) as admin:
        existing = set(await admin.list_topics())
    names = list(topic_settings(factory, replication))
    there = tuple(name for name in names if kafka_topic(factory, name) in existing)
    known = await topic_ids(access, factory) if TOPIC_IDS in there else {}
    groups = {name: known[name].groups for name in known if name in there}
    if dry_run:
        new = {flow.name: flow.consumers for flow in FLOW if flow.name not in there}
        starts = list(await plan_initial_offsets(access, factory, groups | new, from_beginning=from_beginning))
    else:
        starts = await provision(access, factory, replication, from_beginning=from_beginning)
    return Created(
        kafka_topics=tuple(name for name in names if name not in there),
        there=there,
        groups=tuple(service for service in consumers() if _lacks(service, groups)),
        starts=tuple(starts),
    )


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
