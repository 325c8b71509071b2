"""The factory's problems and rewards as a taskset of `verifiers`, the environments of prime-rl.

chimera dataset export --format verl --view rl --out mine     # the rows
python -m services.grader                                     # the rewards; its address in CHIMERA_GRADE
PYTHONPATH=examples/prime_rl vf-eval chimera_factory --taskset.rows mine/data/train-00000.parquet …
"""

import os
from collections.abc import Iterator

import httpx
import pyarrow.parquet as parquet
import verifiers.v1 as vf

URL = os.environ.get("CHIMERA_GRADE", "http://127.0.0.1:8200/grade")  # noqa: TID251 - runs where prime-rl runs
UNSURE = 0.0
"""The library has no "cannot grade": such a reply gets the reward of a wrong one."""


class ChimeraData(vf.TaskData):
    key: str
    answer_type: str


class ChimeraTask(vf.Task[ChimeraData]):
    @vf.reward(weight=1.0)
    async def lands_on_the_key(self, trace: vf.Trace) -> float:
        """Return 1 for a reply that reaches the key. Raises when the grader cannot be reached."""
        reply = trace.last_reply if "</think>" in trace.last_reply else f"</think>{trace.last_reply}"
        body = {"key": self.data.key, "completion": reply, "answer_type": self.data.answer_type}
        async with httpx.AsyncClient(timeout=300) as client:
            response = await client.post(URL, json=body)
        return {"yes": 1.0, "no": 0.0}.get(response.raise_for_status().json()["agrees"], UNSURE)


class ChimeraConfig(vf.TasksetConfig):
    rows: str = "train.parquet"
    """A Parquet file in verl's format."""


class ChimeraTaskset(vf.Taskset[ChimeraTask, ChimeraConfig]):
    def load(self) -> Iterator[ChimeraTask]:
        for row in parquet.read_table(self.config.rows).to_pylist():
            info = row["extra_info"]
            prompt = "\n".join(message["content"] for message in row["prompt"])
            data = ChimeraData(prompt=prompt, key=row["reward_model"]["ground_truth"], answer_type=info["answer_type"])
            yield ChimeraTask(data, self.config.task)


__all__ = ["ChimeraTaskset"]
