"""Names of Kafka topics and consumer groups. All begin with the factory."""


def kafka_topic(factory: str, name: str) -> str:
    """Kafka topic of an event type or state, for one factory."""
    return f"{factory}.{name}"


def flow_name(factory: str, topic: str) -> str:
    """Inverse of `kafka_topic`."""
    return topic.removeprefix(f"{factory}.")


def group(factory: str, service: str) -> str:
    """Consumer group of a service."""
    return f"{factory}.{service}"
