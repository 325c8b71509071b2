"""Comparison by libraries in a process of its own, started when first needed.

math-verify, sympy and pint may run for ever or take all memory on what a model wrote; see `shared.answers.worker` for
how that ends. The process gets no terminal signals: Ctrl-C drains the service, and comparisons are part of that.
"""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from shared.ports import Comparison

METHOD = "symbolic"


class SymbolicWorker:
    """One worker, one comparison at a time."""

    def __init__(self, limit_s: float = 5.0) -> None:
        self._limit_s = limit_s
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def compare(self, key: str, answer: str) -> Comparison:
        """Compare expressions or quantities, within the limit in CPU seconds. Longer, or a crash, is `unsure`."""
        [found] = await self.compare_many([(key, answer)])
        return found

    async def compare_many(self, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
        """As `compare`, with one limit for all: when it is reached, every one is `unsure`."""
        async with self._turn:
            try:
                process = self._process or await self._start()
                reply = await self._ask(process, f"{json.dumps(pairs)}\n".encode())
            except BaseException:
                await self._stop()  # a reply may still come: the next question must not get it
                raise
            if reply.endswith(b"\n"):
                return [Comparison(*found) for found in json.loads(reply)]
            self._process = None
            late = await process.wait() == -signal.SIGPROF
            why = f"gave up after {self._limit_s:g} s of CPU time" if late else "the worker crashed"
            return [Comparison("unsure", METHOD, why)] * len(pairs)

    async def aclose(self) -> None:
        """End the worker."""
        await self._stop()

    async def _start(self) -> Process:
        command = (sys.executable, "-m", "shared.answers.worker", str(self._limit_s))
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
        assert self._process.stdout is not None  # noqa: S101 - PIPE was asked for
        if await self._process.stdout.readline() != b"ready\n":
            await self._stop()
            raise RuntimeError("the worker for symbolic comparison does not start; its error stands above")
        return self._process

    @staticmethod
    async def _ask(process: Process, question: bytes) -> bytes:
        """The reply; empty when the process ended instead."""
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        try:
            process.stdin.write(question)
            await process.stdin.drain()
        except ConnectionError:
            return b""
        return await process.stdout.readline()

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()
