"""One real broker and one real Valkey for all tests; each test has its own factory on them."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from deploy.local.supervisor import Stack
from shared.config.connections import KafkaAccess
from shared.kafka.admin.topics import provision
from shared.kafka.clients import open_admin
from tests.support.kafka_world import KafkaWorld

for noisy in ("aiokafka", "faust", "mode"):
    logging.getLogger(noisy).setLevel(logging.CRITICAL)
settings.register_profile("untimed", settings(deadline=None))  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Kafka and Valkey."""
    async with Stack(tmp_path_factory.mktemp("stack")) as stack:
        await stack.start_infrastructure()
        yield stack


@pytest.fixture
async def world(stack: Stack, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    """A factory with its Kafka topics and initial offsets."""
    factory = f"t{uuid4().hex[:8]}"
    await provision(KafkaAccess(stack.bootstrap), factory)
    async with KafkaWorld(stack.bootstrap, stack.valkey_url, factory, tmp_path) as world:
        yield world
    async with open_admin(KafkaAccess(stack.bootstrap)) as admin:  # a broker grows slow with the factories of all tests
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(f"{factory}.")])
