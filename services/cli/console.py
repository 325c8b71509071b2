"""chimera console: read the dataset in a browser, or write it as a static site."""

import asyncio
from contextlib import suppress
from pathlib import Path

import typer
from rich.console import Console as Terminal

from services.cli.common.atomic_folder import atomic_folder
from services.cli.common.dataset_location import dataset_in
from services.cli.common.kafka_connection import access
from services.console.bundle import Bundle
from services.console.dataset_cache import DatasetCache
from services.console.server import serve as listen
from services.console.settings import Settings
from shared.config.connections import KafkaAccess
from shared.errors import Refusal


def serve(directory: Path, host: str, port: int, bootstrap: str, factory: str) -> None:
    """Serve pages until Ctrl-C. Raises Refusal when it cannot listen."""
    settings = Settings(
        dataset=dataset_in(directory),
        plan=directory / "plan.yaml",
        factory=factory,
        console_host=host,
        console_port=port,
    )

    def find() -> KafkaAccess | None:
        try:
            return access(bootstrap, directory)
        except Refusal:  # nothing runs yet, or any more
            return None

    async def run() -> None:
        async with listen(settings, find) as url:
            typer.echo(f"{url}  (Ctrl-C stops)")
            await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


def bundle(directory: Path, out: Path, version: str) -> int:
    """Write one release as a static site; returns the number of pages. The folder appears whole or not at all."""
    cache = DatasetCache(dataset_in(directory), directory / "plan.yaml")
    snapshot = cache.snapshot(version)
    with atomic_folder(out) as draft, Terminal(stderr=True).status("writing pages") as status:
        pages = 0
        for pages, name in enumerate(Bundle(cache, snapshot, draft).write(), 1):
            status.update(f"writing pages: {pages:,} {name}")
    return pages
