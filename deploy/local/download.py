"""Downloads Kafka's jars without blocking the event loop; stops when the caller is cancelled."""

import asyncio
import threading
from pathlib import Path

from deploy.local import kafka_jars
from deploy.local.events import OnEvent, StackEvent


async def download(on_event: OnEvent) -> list[Path]:
    """Return the classpath. While it downloads, report to `on_event` how many bytes have arrived."""
    loop = asyncio.get_running_loop()
    cancelled = threading.Event()

    def progress(done: int, total: int) -> None:
        if cancelled.is_set():
            raise InterruptedError
        event = StackEvent("downloading", "kafka", "downloading Apache Kafka", done, total)
        loop.call_soon_threadsafe(on_event, event)

    try:
        return await asyncio.to_thread(kafka_jars.fetch, progress=progress)
    finally:
        cancelled.set()  # each thread ends at the next block it receives
