"""Create a factory's Kafka topics and group offsets, and say what that was. For charts and operators.

python -m shared.kafka.create [REPLICATION]     where there is no command line; the rest from the environment
"""

import asyncio
import sys
from dataclasses import dataclass

from schemas.flow import TOPIC_IDS, consumed_by, consumers
from shared.config.connections import KafkaAccess
from shared.config.environment import read
from shared.config.settings import Connections
from shared.errors import Refusal
from shared.kafka.admin.topics import provision, topic_ids, topic_settings
from shared.kafka.clients import administrator
from shared.kafka.names import kafka_topic


@dataclass(frozen=True, slots=True)
class Created:
    """What was made, or would be. Names are without the factory."""

    kafka_topics: tuple[str, ...]
    there: tuple[str, ...]
    """Kafka topics that were there already."""
    groups: tuple[str, ...]
    """Services whose groups were given offset 0 in some Kafka topic."""


async def create(access: KafkaAccess, factory: str, replication: int = 1, *, dry_run: bool = False) -> Created:
    """Provision the factory. Raises Refusal as `provision` does, KafkaError without a broker."""
    async with administrator(access) as admin:
        existing = set(await admin.list_topics())
    names = list(topic_settings(factory, replication))
    there = tuple(name for name in names if kafka_topic(factory, name) in existing)
    given = await topic_ids(access, factory) if TOPIC_IDS in there else {}
    groups = tuple(name for name in consumers() if _lacks(name, {n: given[n].groups for n in given if n in there}))
    if not dry_run:
        await provision(access, factory, replication)
    return Created(tuple(name for name in names if name not in there), there, groups)


def _lacks(service: str, given: dict[str, tuple[str, ...]]) -> bool:
    return any(service not in given.get(flow.name, ()) for flow in consumed_by(service))


def main() -> None:
    """The command."""
    try:
        settings = read(Connections)
        done = asyncio.run(create(settings.kafka_access, settings.factory, int((sys.argv[1:] or ["1"])[0])))
    except Refusal as refusal:
        sys.exit(str(refusal))
    print(f"{len(done.kafka_topics)} Kafka topics made, {len(done.there)} were there")  # noqa: T201
