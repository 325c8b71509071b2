"""Warnings that a client repeats while its server is away."""

import logging

from shared.telemetry.repeated_warnings import RepeatedWarnings
from tests.support.kafka_world import until


class Lines(logging.Handler):
    """A handler that keeps the messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.addFilter(RepeatedWarnings(self, quiet_s=0.2))

    def log(self, logger: str, level: int, message: str, *arguments: object) -> None:
        self.handle(logging.LogRecord(logger, level, __file__, 0, message, arguments, None))

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


async def test_an_outage_is_logged_at_its_start_and_with_a_count_at_its_end() -> None:
    lines = Lines()
    for attempt in range(40):
        lines.log("aiokafka.conn", logging.WARNING, "Unable to connect to node %d", attempt)
    for _ in range(2):
        lines.log("aiokafka.conn", logging.INFO, "closed")
    for event in range(2):
        lines.log("shared.runtime.worker", logging.ERROR, "dead letter: %s", event)
    first = ["Unable to connect to node 0", "closed", "closed", "dead letter: 0", "dead letter: 1"]
    assert lines.messages == first

    async def has_ended() -> bool:
        return len(lines.messages) > len(first)

    await until(has_ended, "the summary")
    assert lines.messages[-1] == "the warning was repeated 39 times within 0 s: Unable to connect to node 0"
    lines.log("aiokafka.conn", logging.WARNING, "Unable to connect to node %d", 0)
    assert lines.messages[-1] == "Unable to connect to node 0", "the next outage is not logged"
