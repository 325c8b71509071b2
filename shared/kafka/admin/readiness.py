"""May a service begin? What it has to wait for is made by admin.py."""

from aiokafka.errors import NoError, TopicAuthorizationFailedError, for_code

from schemas.flow import consumed_by
from shared.config.connections import KafkaAccess
from shared.kafka.admin.acls import topics_of
from shared.kafka.admin.topics import topic_ids
from shared.kafka.clients import administrator
from shared.kafka.connection import authorized, forbidden
from shared.kafka.names import group, kafka_topic


async def missing(access: KafkaAccess, factory: str, service: str) -> str | None:
    """Say which Kafka topic, or whose offsets in it, a service has to wait for. `None`: it may begin.

    One that joined its group before would keep it from being given any. Raises Refusal when a Kafka topic is hidden
    from us, and KafkaError when the broker does not answer.
    """
    with authorized(access):
        if lacking := await absent(access, topics_of(factory, service)):
            return f"Kafka topics that are not there: {', '.join(lacking)}"
        given = await topic_ids(access, factory)
    for flow in consumed_by(service):
        if flow.name not in given or service not in given[flow.name].groups:
            topic = kafka_topic(factory, flow.name)
            return f"group {group(factory, service)} was not given its first offsets in Kafka topic {topic}"
    return None


async def absent(access: KafkaAccess, topics: list[str]) -> list[str]:
    """Kafka topics that are not there, or not yet in use. Raises Refusal for one that is hidden from us.

    Consumers would take a hidden one for an empty one.
    """
    found = []
    async with administrator(access) as admin:
        for topic in await admin.describe_topics(topics):
            if (error := for_code(topic["error_code"])) is TopicAuthorizationFailedError:
                raise forbidden(access, f"topic {topic['topic']}")
            if error is not NoError:
                found.append(topic["topic"])
    return sorted(found)
