"""The Kafka that a command uses, and the error when it does not answer."""

import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from shared.errors import Refusal

if TYPE_CHECKING:
    from shared.config.connections import KafkaAccess

T = TypeVar("T")

Bootstrap = Annotated[
    str,
    typer.Option(envvar="CHIMERA_KAFKA", help="Address of Kafka, host:port; default: the stack in --dir."),
]
Factory = Annotated[str, typer.Option(envvar="CHIMERA_FACTORY", help="Prefix of its Kafka topics.")]


def access(bootstrap: str, directory: Path) -> "KafkaAccess":
    """Return how to reach the given Kafka, or that of the stack in the folder. Raises Refusal without either.

    TLS and credentials come from the environment, as for the services (CHIMERA_KAFKA_TLS, …).
    """
    from deploy.local.state_file import StateFile
    from shared.config.settings import Connections

    state = StateFile.read(directory)
    if address := bootstrap or (state.up and state.bootstrap):
        return Connections(kafka=address).kafka_access
    raise Refusal(
        f"no Kafka: nothing runs in {directory}", "Give one with --bootstrap HOST:PORT, or start one with `chimera up`"
    )


def call_kafka(kafka: "KafkaAccess", work: Coroutine[Any, Any, T]) -> T:
    """Await a request to Kafka. Raises Refusal when it fails."""
    import asyncio

    from shared.kafka.clients import KafkaError

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the Refusal reports the error
    try:
        return asyncio.run(work)
    except (KafkaError, OSError) as error:
        message = f"the request to Kafka at {kafka} failed: {error or type(error).__name__}"
        raise Refusal(message, "Check the address with --bootstrap, and that Kafka is up") from error
