"""Measures one stage: synthesis consumes, calls, produces and commits; 64 in flight, 50 ms a call, short answers.

The plainest asyncio program makes the same calls without a log, in turn with the stage, in one run.
"""

from typing import Any

from rich.console import Console

from tests.bench.flow.programs import programs_table
from tests.bench.flow.slots import IN_FLIGHT, plain, synthesis
from tests.bench.models import server

LATENCY_S = 0.05


async def measure(calls: int, rounds: int) -> dict[str, Any]:
    """Run both programs in turn; return each run. CPU is that of one process, without the endpoint."""
    runs: list[dict[str, Any]] = []
    for _ in range(rounds):
        for program, run in (("asyncio", plain), ("chimera", synthesis)):
            async with server("--latency-s", str(LATENCY_S)) as url:
                _, figures = await run(f"{url}/v1", calls)
            spent = {"process": figures["cpu_ms_per_answer"]}
            found = {"seconds": figures["seconds"], "first_row_s": None, "cpu_ms_per_row": spent}
            runs.append({"program": program, "rows": calls, **found})
    return {"calls": calls, "floor_s": calls * LATENCY_S / IN_FLIGHT, "runs": runs}


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print medians and spread of both programs."""
    console.print(programs_table(f"one stage, {figures['calls']} calls, {IN_FLIGHT} in flight", figures))
