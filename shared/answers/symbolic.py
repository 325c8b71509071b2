"""Comparison by algebra in a process of its own, started when first needed.

sympy may run for ever or take all memory on what a model wrote; see `shared.answers.worker` for how that ends. The
process gets no terminal signals: Ctrl-C drains the service, and comparisons are part of that. It gets no environment:
what a model wrote is read there.
"""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from pathlib import Path

from shared.ports import Comparison

METHOD = "symbolic"
REMEMBERED = 4096
"""Pairs whose comparison is kept."""
_ROOT = Path(__file__).resolve().parents[2]

Pair = tuple[str, str, str]


class SymbolicWorker:
    """Compares several pairs at a time; a costly one delays no other. What was compared is remembered."""

    def __init__(self, limit_s: float = 5.0) -> None:
        self._limit_s = limit_s
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._open: dict[int, asyncio.Future[Comparison]] = {}
        self._number = 0
        self._verdicts: OrderedDict[Pair, Comparison] = OrderedDict()

    async def compare(self, key: str, answer: str, answer_type: str = "") -> Comparison:
        """Compare two answers, within the limit in CPU seconds. Longer, or a crash, is `unsure`."""
        pair = (key, answer, answer_type)
        if pair in self._verdicts:
            self._verdicts.move_to_end(pair)
            return self._verdicts[pair]
        result = await self._compare(pair)
        self._verdicts[pair] = result
        if len(self._verdicts) > REMEMBERED:
            self._verdicts.popitem(last=False)
        return result

    async def aclose(self) -> None:
        """End the worker."""
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 1.0)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                    process.kill()
                await process.wait()
        self._fail("the worker was closed")

    async def _compare(self, pair: Pair) -> Comparison:
        process = await self._running()
        self._number += 1
        number = self._number
        future: asyncio.Future[Comparison] = asyncio.get_running_loop().create_future()
        self._open[number] = future
        try:
            assert process.stdin is not None  # noqa: S101 - PIPE was given
            with contextlib.suppress(ConnectionError):
                process.stdin.write(json.dumps({"id": number, "pair": pair}).encode() + b"\n")
                await process.stdin.drain()
            return await future
        finally:
            self._open.pop(number, None)

    async def _running(self) -> Process:
        async with self._starting:
            if (
                self._process is None
                or self._process.returncode is not None
                or self._reader is None
                or self._reader.done()
            ):
                await self.aclose()
                self._process = await self._start()
                self._reader = asyncio.create_task(self._read(self._process))
            return self._process

    async def _start(self) -> Process:
        command = (sys.executable, "-m", "shared.answers.worker", str(self._limit_s))
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}  # noqa: TID251
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, start_new_session=True, env=kept, cwd=_ROOT, limit=1 << 20
        )
        assert process.stdout is not None  # noqa: S101 - PIPE was given
        if await process.stdout.readline() != b"ready\n":
            if process.returncode is None:
                process.kill()
            await process.wait()
            raise RuntimeError("the worker for symbolic comparison does not start; its error is above")
        return process

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101 - PIPE was given
        while line := await process.stdout.readline():
            reply = json.loads(line)
            future = self._open.get(reply["id"])
            if future is not None and not future.done():
                future.set_result(Comparison(*reply["found"]))
        self._fail("the worker crashed")

    def _fail(self, why: str) -> None:
        for future in self._open.values():
            if not future.done():
                future.set_result(Comparison("unsure", METHOD, why))
