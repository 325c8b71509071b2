"""Bespoke Curator: four calls of its `LLM` over the whole dataset; the verifiers run side by side in threads.

Its backend is LiteLLM: that of OpenAI loads a file from the network.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bespokelabs import curator
from job import Job, run

STEPS = {
    "problem": "Write a problem, number {number}.",
    "verdict_a": "Is this a good problem? {problem}",
    "verdict_b": "Can this problem be solved? {problem}",
    "solution": "Solve {problem}. Verdicts: {verdict_a} {verdict_b}",
}


class Step(curator.LLM):
    """Fills one column."""

    column: str

    def prompt(self, row: dict[str, Any]) -> str:
        """Return the prompt of a row."""
        return STEPS[self.column].format(**row)

    def parse(self, row: dict[str, Any], response: str) -> dict[str, Any]:
        """Return the row with the column."""
        return {**row, self.column: response}


def work(job: Job) -> int:
    """Run the steps; the solver gets both verdicts."""

    def step(column: str, url: str, rows: Any) -> Any:
        limits = {"max_concurrent_requests": job.in_flight, "max_requests_per_minute": 10**7}
        options = {"base_url": f"{url}/v1", "max_tokens_per_minute": 10**9, **limits}
        llm = Step(model_name="openai/m", backend="litellm", backend_params=options)
        llm.column = column
        return llm(rows, working_dir=str(job.folder / column)).dataset

    written = step("problem", job.short_url, [{"number": number} for number in range(job.problems)])
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda column: step(column, job.short_url, written), ("verdict_a", "verdict_b"))
    verdicts = {row["number"]: row["verdict_b"] for row in second}
    verified = [{**row, "verdict_b": verdicts[row["number"]]} for row in first]
    return len(step("solution", job.long_url, verified))


if __name__ == "__main__":
    run(work)
