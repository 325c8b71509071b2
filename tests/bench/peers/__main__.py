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
from tests.bench.peers.environments import PEERS, Failed, Peer, install, run_program

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
    missing, peers = dict[str, str](), dict[Peer, str]()
    for peer in PEERS:
        try:
            peers[peer] = f"{peer.name} {await install(peer)}"
        except Failed as why:
            missing[peer.name] = str(why)
    runs: list[dict[str, Any]] = []
    for _ in range(rounds):
        runs += [await four_stage.run_plain(problems), await four_stage.run_factory(problems)]
        for peer, name in peers.items():
            if name in missing:
                continue
            try:
                result = await run_peer(peer, problems)
            except Failed as why:
                missing[name] = str(why)
            else:
                spent = {"program": 1000 * result["cpu_s"] / problems}
                runs.append({"program": name, **result, "first_row_s": None, "cpu_ms_per_row": spent})
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    return {"machine": machine, **four_stage.floor(problems), "runs": runs, "missing": missing}


async def run_peer(peer: Peer, problems: int) -> dict[str, Any]:
    """Run a peer's program in an empty folder; return its result. Raises Failed."""
    async with AsyncExitStack() as stack:
        short, long = [
            await stack.enter_async_context(server("--latency-s", str(seconds)))
            for seconds in (four_stage.SHORT_S, four_stage.LONG_S)
        ]
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        output = await run_program(
            *(str(peer.python), str(Path(__file__).with_name(peer.program))),
            *(short, long, str(problems), str(four_stage.IN_FLIGHT), folder),
            timeout_s=TIMEOUT_S,
            folder=folder,
            env={**inherited_environment(), **OFFLINE, "HOME": folder},
        )
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
