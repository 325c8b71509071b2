"""The supervisor that `chimera up` leaves behind: `python -m services.cli.stack.supervisor_main`.

Standard input: the order. Standard output, until all is ready: one JSON object a line, `{"event": …}`, and at last
`{"ready": seconds by process}` or `{"refused": …}`. Standard error: the log. SIGTERM stops in order, a second kills.
"""

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from dataclasses import asdict

from deploy.local.errors import StackError
from deploy.local.events import StackEvent
from services.cli.common.interrupts import Interrupts
from services.cli.common.run_config import RunConfig
from services.cli.run.local_factory import LocalFactory
from shared.errors import Refusal
from shared.telemetry.logs import configure

log = logging.getLogger("services.cli.stack.supervisor_main")  # not __name__: it is run as a program

LOUD = frozenset({"died", "killed", "gave_up", "orphans"})


class StatusReport:
    """Tells the command that waits how far the start is. When it does not wait any more, only the log is told."""

    def event(self, event: StackEvent) -> None:
        """Something happened to a process."""
        if event.kind != "downloading":
            log.log(logging.WARNING if event.kind in LOUD else logging.INFO, "%s: %s", event.process, event.message)
        self.say("event", asdict(event))

    def say(self, kind: str, content: object) -> None:
        """One line."""
        with suppress(OSError):
            os.write(sys.stdout.fileno(), json.dumps({kind: content}).encode() + b"\n")

    def close(self) -> None:
        """The command may return: what is still printed goes to the log."""
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self.say = lambda kind, content: None  # type: ignore[method-assign]


async def keep(order: RunConfig, report: StatusReport) -> int:
    """Run the stack until told to stop; returns the exit status."""
    with Interrupts(lambda: log.info("stopping; a second signal stops at once")) as signals:
        try:
            async with LocalFactory(order, report.event) as plant:
                await signals.run(_stand(plant, report))
        except (Refusal, StackError) as error:
            text = error.log if isinstance(error, StackError) else ""
            log.critical("%s; next step: %s%s", error.message, error.next_step, f"\n{text}" if text else "")
            report.say("refused", {"message": error.message, "next_step": error.next_step, "log": text})
            return 1
    log.info("stopped")
    return 0


async def _stand(plant: LocalFactory, report: StatusReport) -> None:
    await plant.start()
    log.info("up: %s", plant.stack.summary())
    report.say("ready", plant.stack.timings)
    report.close()
    await plant.failure()


def main() -> None:
    order = RunConfig.from_json(sys.stdin.read())
    configure("supervisor")
    logging.getLogger("aiokafka").setLevel(
        logging.CRITICAL
    )  # a broker that has just started is not quite there at first
    try:
        sys.exit(asyncio.run(keep(order, StatusReport())))
    except asyncio.CancelledError:
        log.warning("stopped at once")
        sys.exit(130)


if __name__ == "__main__":
    main()
