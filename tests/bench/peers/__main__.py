"""`make bench-peers`: the four-stage job by the plainest asyncio program, the factory and peers, in turn in each round.

    python -m tests.bench.peers [--rounds 3] [--problems 500] [--json]

A peer that cannot be installed, or that fails, is left out with the reason. Endpoints, calls and limits are those of
`tests.bench.flow.four_stage`: the factory makes six calls a row, the others four.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.local.process_spec import inherited_environment
from tests.bench.flow import four_stage
from tests.bench.models import server
from tests.bench.peers.environments import PEERS, Peer, install, version

TIMEOUT_S = 300.0
OFFLINE = {"TELEMETRY_ENABLED": "0", "NEMO_TELEMETRY_ENABLED": "false", "HF_HUB_OFFLINE": "1", "OPENAI_API_KEY": "none"}
"""Variables by which peers send nothing elsewhere, and ask for no key."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the four-stage job beside other libraries.")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program (3)")
    parser.add_argument("--problems", type=int, default=500, help="problems of a run (500)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    figures = asyncio.run(measure(options.problems, options.rounds))
    if options.json:
        print(json.dumps(figures, indent=2))  # noqa: T201
    else:
        show(figures)


async def measure(problems: int, rounds: int) -> dict[str, Any]:
    """Run all programs in turn; return each run, and why peers are missing."""
    missing = {peer.name: why for peer in PEERS if (why := await install(peer)) is not None}
    peers = {peer: f"{peer.name} {await version(peer)}" for peer in PEERS if peer.name not in missing}
    runs: list[dict[str, Any]] = []
    for _ in range(rounds):
        runs += [await four_stage.run_plain(problems), await four_stage.run_factory(problems)]
        for peer, name in peers.items():
            if name in missing:
                continue
            result = await run_peer(peer, problems)
            if isinstance(result, str):
                missing[name] = result
            else:
                spent = {"program": 1000 * result["cpu_s"] / problems}
                runs.append({"program": name, **result, "first_row_s": None, "cpu_ms_per_row": spent})
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    return {"machine": machine, **four_stage.floor(problems), "runs": runs, "missing": missing}


async def run_peer(peer: Peer, problems: int) -> dict[str, Any] | str:
    """Run a peer's program in an empty folder; return its result, or why there is none."""
    async with AsyncExitStack() as stack:
        short, long = [
            await stack.enter_async_context(server("--latency-s", str(seconds)))
            for seconds in (four_stage.SHORT_S, four_stage.LONG_S)
        ]
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        process = await asyncio.create_subprocess_exec(
            *(peer.python, Path(__file__).with_name(peer.program)),
            *(short, long, str(problems), str(four_stage.IN_FLIGHT), folder),
            cwd=folder,
            env={**inherited_environment(), **OFFLINE, "HOME": folder},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                output, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            return f"did not end within {TIMEOUT_S:.0f} s"
    if process.returncode:
        return f"ended with {process.returncode}: {errors.decode(errors='replace').strip().splitlines()[-1]}"
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def show(figures: dict[str, Any]) -> None:
    """Print the table, and a line for each missing peer."""
    console = Console()
    four_stage.show(console, figures)
    for name, why in figures["missing"].items():
        console.print(f"left out: {name}: {why}", markup=False)


if __name__ == "__main__":
    main()
