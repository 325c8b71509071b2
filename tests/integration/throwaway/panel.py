"""A panel that kills itself where it publishes its first decision: before or after, and the tiers that it accepts."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable

from services.panel.handler import JoinVerdicts
from services.panel.settings import Settings
from shared.config.environment import read
from shared.kafka.clients import Producer
from shared.kafka.codec import Message
from shared.kafka.faust.loop import FaustLoop


class Deadly(Producer):
    """Its first message is its last."""

    async def publish(self, messages: Iterable[Message]) -> None:
        if (messages := list(messages)) and sys.argv[1] == "after":
            await super().publish(messages)
        if messages:
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    settings = read(Settings)
    producer = Deadly(settings.kafka_access, settings.factory)
    await producer.start()
    await FaustLoop(JoinVerdicts(sys.argv[2:]), settings, producer).run()


if __name__ == "__main__":
    asyncio.run(main())
