"""The factory's reward for verl: `custom_reward_function.path=examples/verl/reward.py`, `.name=compute_score`.

Needs only the standard library and a running grader: `python -m services.grader`, its address in CHIMERA_GRADE.
"""

import json
import os
import urllib.request
from typing import Any

URL = os.environ.get("CHIMERA_GRADE", "http://127.0.0.1:8200/grade")  # noqa: TID251 - runs where verl runs
UNSURE = 0.0
"""verl has no "cannot grade": such a completion gets the reward of a wrong one. Watch the fraction in `unsure`."""


def compute_score(data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any]) -> dict[str, Any]:
    """Score one completion. Raises when the grader cannot be reached, since a missing reward would train on noise."""
    body = {"key": ground_truth, "completion": solution_str, "answer_type": extra_info["answer_type"]}
    request = urllib.request.Request(URL, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=300) as response:  # noqa: S310 - an address that the user sets
        grade = json.load(response)
    score = {"yes": 1.0, "no": 0.0}.get(grade["agrees"], UNSURE)
    return {"score": score, "unsure": grade["agrees"] == "unsure", "how": grade["how"]}
