"""Whether a service may start: its Kafka topics exist and its group has initial offsets (see topics.py)."""

from aiokafka.errors import NoError, TopicAuthorizationFailedError, for_code

from schemas.flow import consumed_by
from shared.config.connections import KafkaAccess
from shared.kafka.admin.acls import topics_used
from shared.kafka.admin.topics import topic_ids
from shared.kafka.clients import open_admin
from shared.kafka.connection import permission_refusal, translate_denials
from shared.kafka.names import group, kafka_topic


async def find_obstacle(access: KafkaAccess, factory: str, service: str) -> str | None:
    """Name the Kafka topic or the initial offsets that a service has to wait for; `None` when it may start.

    Raises Refusal for a Kafka topic that the service may not describe, KafkaError when the broker does not answer.
    """
    with translate_denials(access):
        if missing := await missing_topics(access, topics_used(factory, service)):
            return f"Kafka topics do not exist: {', '.join(missing)}"
        ids = await topic_ids(access, factory)
    for flow in consumed_by(service):
        if flow.name not in ids or service not in ids[flow.name].groups:
            topic = kafka_topic(factory, flow.name)
            return f"group {group(factory, service)} has no initial offsets in Kafka topic {topic}"
    return None


async def missing_topics(access: KafkaAccess, topics: list[str]) -> list[str]:
    """Kafka topics that do not exist yet. Raises Refusal for one that the login may not describe.

    To a consumer such a Kafka topic would look empty.
    """
    missing = []
    async with open_admin(access) as admin:
        for topic in await admin.describe_topics(topics):
            if (error := for_code(topic["error_code"])) is TopicAuthorizationFailedError:
                raise permission_refusal(access, f"topic {topic['topic']}")
            if error is not NoError:
                missing.append(topic["topic"])
    return sorted(missing)
