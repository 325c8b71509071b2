"""Kafka's jars, fetched without blocking the event loop and given up when the caller is cancelled."""

import asyncio
import threading
from pathlib import Path

from deploy.local import kafka_jars
from deploy.local.events import OnEvent, StackEvent


async def download(on_event: OnEvent) -> list[Path]:
    """Return the classpath, telling `on_event` how many bytes have come, if any must."""
    loop = asyncio.get_running_loop()
    given_up = threading.Event()

    def progress(done: int, total: int) -> None:
        if given_up.is_set():
            raise InterruptedError
        event = StackEvent("downloading", "kafka", "downloading Apache Kafka", done, total)
        loop.call_soon_threadsafe(on_event, event)

    try:
        return await asyncio.to_thread(kafka_jars.fetch, progress=progress)
    finally:
        given_up.set()  # the threads end with the next block they receive
