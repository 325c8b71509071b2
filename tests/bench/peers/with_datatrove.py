"""Hugging Face DataTrove: one pipeline writes and verifies, a second one solves; each has one server.

The limit is that of a server, so the three models of the first pipeline share three times the calls in flight.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from job import Job, run

Generate = Callable[[dict[str, Any]], Awaitable[Any]]


async def ask(generate: Generate, prompt: str) -> str:
    """Call the model of the server."""
    return str((await generate({"messages": [{"role": "user", "content": prompt}]})).text)


async def draft(document: Any, generate: Generate) -> dict[str, str]:
    """Write a problem, then verify it twice."""
    problem = await ask(generate, document.text)
    first, second = await asyncio.gather(
        ask(generate, f"Is this a good problem? {problem}"), ask(generate, f"Can this problem be solved? {problem}")
    )
    return {"problem": problem, "verdict_a": first, "verdict_b": second}


async def solve(document: Any, generate: Generate) -> str:
    """Solve a drafted problem."""
    return await ask(generate, f"Solve {document.metadata['drafted'][0]}")


def work(job: Job) -> int:
    """Run both pipelines; the rows are the lines that the second one wrote."""
    documents = [Document(text=f"Write a problem, number {number}.", id=str(number)) for number in range(job.problems)]
    _pipeline(job, documents, draft, job.short_url, 3 * job.in_flight, "drafted")
    drafted = JsonlReader(str(job.folder / "drafted"))
    _pipeline(job, drafted, solve, job.long_url, job.in_flight, "solved")
    return sum(1 for _ in JsonlReader(str(job.folder / "solved")).run())


def _pipeline(job: Job, source: Any, rollout: Any, url: str, in_flight: int, name: str) -> None:
    config = InferenceConfig(
        server_type="endpoint",
        endpoint_url=url,
        model_name_or_path="m",
        max_concurrent_generations=in_flight,
        max_concurrent_documents=in_flight,
    )
    writer = JsonlWriter(str(job.folder / name))
    runner = InferenceRunner(rollout, config, writer, metadata_key=name)
    LocalPipelineExecutor([source, runner], logging_dir=str(job.folder / f"{name}-logs")).run()


if __name__ == "__main__":
    run(work)
