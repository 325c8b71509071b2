"""Which Kafka a command means, and what is said when it does not answer."""

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from deploy.local.state_file import StateFile
from shared.config.connections import KafkaAccess
from shared.config.settings import Connections
from shared.errors import Refusal
from shared.kafka.clients import KafkaError

T = TypeVar("T")

Bootstrap = Annotated[
    str,
    typer.Option(envvar="CHIMERA_KAFKA", help="Kafka's address, host:port; without it that of the stack in --dir."),
]
Factory = Annotated[str, typer.Option(envvar="CHIMERA_FACTORY", help="Name that its Kafka topics begin with.")]


def access(bootstrap: str, directory: Path) -> KafkaAccess:
    """How to reach what was given, or the stack that runs in the folder. Raises Refusal when there is neither.

    TLS and login come from the environment, as for the services (CHIMERA_KAFKA_TLS, …).
    """
    record = StateFile.read(directory)
    if found := bootstrap or (record.up and record.bootstrap):
        return Connections(kafka=found).kafka_access
    raise Refusal(f"no Kafka: nothing runs in {directory}", "Name one with --bootstrap HOST:PORT, or `chimera up`")


def call_kafka(kafka: KafkaAccess, work: Coroutine[Any, Any, T]) -> T:
    """Await what asks Kafka something. Raises Refusal when it does not answer, or says no."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it is said here
    try:
        return asyncio.run(work)
    except (KafkaError, OSError) as error:
        told = f"Kafka at {kafka} does not answer as it should: {error or type(error).__name__}"
        raise Refusal(told, "Check the address with --bootstrap, and that it is up") from error
