"""The factory's rewards as a single-turn environment of NeMo-RL.

Register `examples.nemo_rl.environment.ChimeraEnvironment` as the environment of the task; the metadata of each row is
{"key": …, "answer_type": …}, from `chimera dataset export --format verl`. The grader's address is in CHIMERA_GRADE.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ray
import requests
import torch
from nemo_rl.environments.interfaces import EnvironmentInterface, EnvironmentReturn

URL = os.environ.get("CHIMERA_GRADE", "http://127.0.0.1:8200/grade")  # noqa: TID251 - runs where NeMo-RL runs
UNSURE = 0.0
"""NeMo-RL has no "cannot grade": such a completion gets the reward of a wrong one."""
MAX_CONCURRENCY = 64


@ray.remote
class ChimeraEnvironment(EnvironmentInterface):
    """An episode ends after the first answer."""

    def __init__(self, cfg: dict[str, Any]) -> None:
        self._pool = ThreadPoolExecutor(cfg.get("at_once", MAX_CONCURRENCY))

    def step(self, message_log_batch: list[Any], metadata: list[dict[str, Any]]) -> EnvironmentReturn:
        """Grade the last message of each log. Raises when the grader cannot be reached."""
        replies = [log[-1]["content"] for log in message_log_batch]
        rewards = torch.tensor(list(self._pool.map(_reward, replies, metadata)))
        return EnvironmentReturn(
            observations=[{"role": "environment", "content": ""}] * len(replies),
            metadata=metadata,
            next_stop_strings=[None] * len(replies),
            rewards=rewards,
            terminateds=torch.ones(len(replies), dtype=torch.bool),
            answers=None,
        )

    def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float]]:
        """Return the batch and the fraction of right answers."""
        return batch, {"accuracy": float(batch["rewards"].mean())}

    def shutdown(self) -> None:
        self._pool.shutdown()


def _reward(reply: str, metadata: dict[str, Any]) -> float:
    body = {"key": metadata["key"], "completion": reply, "answer_type": metadata["answer_type"]}
    response = requests.post(URL, json=body, timeout=300)
    response.raise_for_status()
    return {"yes": 1.0, "no": 0.0}.get(response.json()["agrees"], UNSURE)
