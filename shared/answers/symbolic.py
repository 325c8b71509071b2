"""Symbolic comparison in a process of its own, started when first needed.

math-verify and sympy may run for ever or take all memory on what a model wrote; see `shared.answers.worker` for how
that ends. The process gets no terminal signals: Ctrl-C drains the service, and comparisons are part of that.
"""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process

from schemas.item import Agreement
from shared.ports import Comparison

METHOD = "symbolic"
_AGREEMENTS: dict[bytes, Agreement] = {b"yes\n": "yes", b"no\n": "no", b"unsure\n": "unsure"}


class SymbolicWorker:
    """One worker, one comparison at a time."""

    def __init__(self, limit_s: float = 5.0) -> None:
        self._limit_s = limit_s
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def compare(self, key: str, answer: str) -> Comparison:
        """Compare two LaTeX expressions, within the limit in seconds. Longer, or a crash, is `unsure`."""
        async with self._turn:
            try:
                process = self._process or await self._start()
                reply = await self._ask(process, f"{json.dumps([key, answer])}\n".encode())
            except BaseException:
                await self._stop()  # a reply may still come: the next question must not get it
                raise
            if reply in _AGREEMENTS:
                return Comparison(_AGREEMENTS[reply], METHOD)
            self._process = None
            late = await process.wait() == -signal.SIGALRM
            return Comparison("unsure", METHOD, f"gave up after {self._limit_s:g} s" if late else "the worker crashed")

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
