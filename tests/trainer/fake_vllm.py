"""An executable with the command line of `vllm serve` that starts the simulator: `python -m tests.trainer.fake_vllm`.

It serves the simulator's model of the served name. As vLLM does, it refuses options that it does not know, needs a
while until it is ready, starts a process of its own, and ends it on SIGTERM.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from services.simulator.api.server import serve
from services.simulator.settings import Settings

SCRIPT = """#!/bin/sh
cd {root} && exec {python} -m tests.trainer.fake_vllm {log} "$@"
"""


def install(folder: Path) -> tuple[Path, Path]:
    """Write the executable; return it, and the file that gets a line of its options for each start."""
    log, executable = folder / "starts.jsonl", folder / "vllm"
    executable.write_text(SCRIPT.format(root=Path.cwd(), python=sys.executable, log=log))
    executable.chmod(0o755)
    return executable, log


async def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("log", type=Path)
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("model")
    for option in ("host", "served-model-name", "dtype"):
        parser.add_argument(f"--{option}", required=True)
    for option in ("port", "max-model-len", "tensor-parallel-size", "data-parallel-size"):
        parser.add_argument(f"--{option}", type=int, required=True)
    parser.add_argument("--gpu-memory-utilization", type=float, required=True)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--calls", type=Path)
    options = parser.parse_args()
    with options.log.open("a") as file:
        file.write(json.dumps({**vars(options), "log": "", "calls": "", "pid": os.getpid()}) + "\n")
    await asyncio.sleep(1.0)
    latency = {options.served_model_name: options.latency_ms}
    async with serve(Settings(host=options.host, port=options.port, call_log=options.calls, latency_ms=latency)):
        engine = await asyncio.create_subprocess_exec("sleep", "3600")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, engine.terminate)
        await engine.wait()


if __name__ == "__main__":
    asyncio.run(main())
