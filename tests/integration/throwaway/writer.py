"""A problem_writer whose calls a test can watch, hold and make deadly, through files in CHIMERA_DATASET.

calls        a line for every call that begins: the event's id
hold-<id>    while it is there, the call for that event does not end
deadly-<id>  the call for that event kills the process
"""

import asyncio
import logging
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from schemas.events import Event, ProblemDrafted, ProblemRequested
from schemas.item import Problem
from shared.config.settings import Settings
from shared.runtime import Service, run

log = logging.getLogger("services.throwaway")


def build(settings: Settings) -> Service:
    folder = Path(settings.dataset)

    async def handle(request: ProblemRequested) -> Iterable[Event]:
        with (folder / "calls").open("a") as calls:
            calls.write(f"{request.id}\n")
        log.info("called")
        while (folder / f"hold-{request.id}").exists():  # noqa: ASYNC110 - the test is another process
            await asyncio.sleep(0.02)
        if (folder / f"deadly-{request.id}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        # Like a model, it never says the same thing twice.
        problem = Problem(statement=uuid4().hex, answer="1", answer_type="number", rationale="")
        return [ProblemDrafted.of(request, "problem_writer", request.item.with_(problem=problem))]

    return Service(handle=handle)


if __name__ == "__main__":
    run(build, Settings)
