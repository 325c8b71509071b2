"""Create a factory's Kafka topics and group offsets, and say what that was. For charts and operators."""

from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient

from schemas.flow import INCARNATIONS, consumed_by, consumers
from shared.kafka.admin import incarnations, provision, wanted
from shared.kafka.names import kafka_topic


@dataclass(frozen=True, slots=True)
class Created:
    """What was made, or would be. Names are without the factory."""

    kafka_topics: tuple[str, ...]
    there: tuple[str, ...]
    """Kafka topics that were there already."""
    groups: tuple[str, ...]
    """Services whose groups were given offset 0 in some Kafka topic."""


async def create(bootstrap: str, factory: str, replication: int = 1, *, dry_run: bool = False) -> Created:
    """Provision the factory. Raises Refusal when a Kafka topic has too few partitions, KafkaError without a broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
    finally:
        await admin.close()
    names = list(wanted(factory, replication))
    there = tuple(name for name in names if kafka_topic(factory, name) in existing)
    given = await incarnations(bootstrap, factory) if INCARNATIONS in there else {}
    groups = tuple(name for name in consumers() if _lacks(name, {n: given[n].groups for n in given if n in there}))
    if not dry_run:
        await provision(bootstrap, factory, replication)
    return Created(tuple(name for name in names if name not in there), there, groups)


def _lacks(service: str, given: dict[str, tuple[str, ...]]) -> bool:
    return any(service not in given.get(flow.name, ()) for flow in consumed_by(service))
