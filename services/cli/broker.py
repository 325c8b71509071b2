"""Which Kafka a command means, and what is said when it does not answer."""

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from deploy.local.record import Record
from shared.errors import Refusal
from shared.kafka.clients import KafkaError

T = TypeVar("T")

Bootstrap = Annotated[
    str,
    typer.Option(envvar="CHIMERA_KAFKA", help="Kafka's address, host:port; without it that of the stack in --dir."),
]
Factory = Annotated[str, typer.Option(envvar="CHIMERA_FACTORY", help="Name that its Kafka topics begin with.")]


def address(bootstrap: str, directory: Path) -> str:
    """What was given, or the stack that runs in the folder. Raises Refusal when there is neither."""
    record = Record.read(directory)
    if found := bootstrap or (record.up and record.bootstrap):
        return found
    raise Refusal(f"no Kafka: nothing runs in {directory}", "Name one with --bootstrap HOST:PORT, or `chimera up`")


def answer(bootstrap: str, work: Coroutine[Any, Any, T]) -> T:
    """Await what asks Kafka something. Raises Refusal when it does not answer, or says no."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it is said here
    try:
        return asyncio.run(work)
    except (KafkaError, OSError) as error:
        told = f"Kafka at {bootstrap} does not answer as it should: {error or type(error).__name__}"
        raise Refusal(told, "Check the address with --bootstrap, and that it is up") from error
