"""The supervisor that `chimera up` starts in the background: `python -m services.cli.stack.supervisor_main`.

Standard input: the run's configuration. Standard output until all services are ready: JSON lines `{"event": …}`, then
`{"ready": seconds by process}` or `{"refused": …}`. It logs to `logs/supervisor.log`. SIGTERM stops in order, a second
kills.
"""

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import partial

from deploy.local import workdir
from deploy.local.events import StackEvent
from services.cli.common.interrupts import Interrupts
from services.cli.common.names import FACTORY
from services.cli.common.run_config import RunConfig
from services.cli.run.local_factory import LocalFactory
from shared.config.connections import KafkaAccess
from shared.errors import Refusal
from shared.kafka.admin.retention import AUTOMATIC_INTERVAL_S, AUTOMATIC_KEEP_HOURS, trim
from shared.kafka.clients import KafkaError
from shared.runtime.background_task import run_in_background
from shared.telemetry.logs import configure

log = logging.getLogger("services.cli.stack.supervisor_main")  # not __name__, which is "__main__" here

WARNINGS = frozenset({"died", "killed", "gave_up", "orphans"})


RETRY_S = 60.0
"""Wait before a service that was given up is started again. The other services continue meanwhile."""


class StatusReport:
    """Reports the progress of the start to the waiting command, and to the log."""

    def event(self, event: StackEvent) -> None:
        """Report an event of a process."""
        if event.kind != "downloading":
            log.log(logging.WARNING if event.kind in WARNINGS else logging.INFO, "%s: %s", event.process, event.message)
        self.say("event", asdict(event))

    def say(self, kind: str, content: object) -> None:
        """Write one line."""
        with suppress(OSError):
            os.write(sys.stdout.fileno(), json.dumps({kind: content}).encode() + b"\n")

    def close(self) -> None:
        """Let the command return: from now on write only to the log."""
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self.say = lambda kind, content: None  # type: ignore[method-assign]


async def supervise(config: RunConfig, report: StatusReport) -> int:
    """Run the stack until a signal; returns the exit status."""
    with Interrupts(lambda: log.info("stopping; a second signal stops immediately")) as signals:
        try:
            async with LocalFactory(config, report.event, RETRY_S) as factory:
                await signals.run(_run(factory, report))
        except Refusal as error:
            text = error.log if isinstance(error, Refusal) else ""
            log.critical("%s; next step: %s%s", error.message, error.next_step, f"\n{text}" if text else "")
            report.say("refused", {"message": error.message, "next_step": error.next_step, "log": text})
            return 1
    log.info("stopped")
    return 0


async def _run(factory: LocalFactory, report: StatusReport) -> None:
    await factory.start()
    log.info("up: %s", factory.stack.summary())
    report.say("ready", factory.stack.timings)
    report.close()
    async with run_in_background(partial(_trim_regularly, KafkaAccess(factory.stack.bootstrap))):
        await factory.failure()


async def _trim_regularly(access: KafkaAccess, stopping: asyncio.Event) -> None:
    """Delete finished records of transit Kafka topics, from time to time."""
    while not stopping.is_set():
        try:
            done = await trim(access, FACTORY, keep_hours=AUTOMATIC_KEEP_HOURS)
        except (KafkaError, OSError) as error:
            log.warning("trimming failed, it is repeated later: %s: %s", type(error).__name__, error)
        else:
            log.info("trimmed %d records", sum(one.removed for one in done))
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), AUTOMATIC_INTERVAL_S)


def main() -> None:
    """Run the supervisor."""
    if not (text := sys.stdin.read()):
        return  # the command that started it was refused
    config = RunConfig.from_json(text)
    with workdir.rotate_log(config.directory, "supervisor").open("ab") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    configure("supervisor")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs errors while the broker starts
    try:
        sys.exit(asyncio.run(supervise(config, StatusReport())))
    except asyncio.CancelledError:
        log.warning("stopped immediately")
        sys.exit(130)


if __name__ == "__main__":
    main()
