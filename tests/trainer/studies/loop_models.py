"""The models of a factory of the tiny world, behind an endpoint: a rule writes, verifies and solves every problem."""

import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.fixed_endpoint import as_json, chunk, endpoint, http, sse
from tests.trainer import clock

WORDS = "Modulo ten, last three results in order: "
"""Precedes each problem: the factory rejects statements of fewer than 40 characters."""
SUBJECT = "clocks"
ROLES = ("writer", "verifier_a", "verifier_b", "solver")
POINTS = ("well_posed", "self_contained", "unique_answer", "correct", "hard_enough", "established")

_PROBLEM = re.compile(re.escape(WORDS) + r"(\d(?:[+*-]\d)+)")
_STEPS = re.compile(r"^Subfield: (\d+) steps", re.MULTILINE)
_PROPOSED = re.compile(r"Proposed answer: <[^>]+>([^<]*)<")
_CANARY = re.compile(r"^Repeat the word (\S+)", re.MULTILINE)


@asynccontextmanager
async def serve() -> AsyncIterator[dict[str, Any]]:
    """Serve the models; yield the content of a models file."""
    listed = {"object": "list", "data": [{"id": name_of(role), "object": "model"} for role in ROLES]}
    async with endpoint(answer, as_json(listed)) as url:
        roles = {role: {"endpoint": "clock", "model": name_of(role)} for role in ROLES}
        yield {"endpoints": {"clock": {"base_url": url, "max_concurrency": 32}}, "roles": roles}


def name_of(role: str) -> str:
    return f"clock-{role.replace('_', '-')}"


def answer(body: dict[str, Any]) -> bytes:
    """Return the HTTP response to a chat completion."""
    text = "\n".join(message["content"] for message in body["messages"])
    thought, content = "", ""
    match (body.get("response_format") or {}).get("json_schema", {}).get("name"):
        case "draft":
            content = json.dumps(write(text, int(body["seed"])))
        case "judgement":
            content = json.dumps(judge(text))
        case _:
            thought, content = solve(text)
    usage = {"prompt_tokens": len(text), "completion_tokens": len(thought + content)}
    if not body.get("stream"):
        message = {"role": "assistant", "content": content, "reasoning": thought}
        output = {"index": 0, "message": message, "finish_reason": "stop"}
        return as_json({"model": body["model"], "choices": [output], "usage": usage})
    named = {"model": body["model"]}
    parts = [chunk({"reasoning": thought}, **named)] if thought else []
    parts += [
        chunk({"content": content}, **named),
        chunk({}, "stop", **named),
        {"choices": [], "usage": usage, **named},
    ]
    return http(sse(*parts))


def write(text: str, seed: int) -> dict[str, str]:
    """Return a draft with as many steps as the subfield says."""
    found = _STEPS.search(text)
    assert found, text
    row = clock.row(0, int(found[1]), random.Random(seed))
    draft = {"plan": "a chain of steps", "problem": WORDS + row.problem, "solution": row.reasoning, "check": "none"}
    return {**draft, "answer": row.answer, "answer_type": "number"}


def solve(text: str) -> tuple[str, str]:
    """Return thought and answer."""
    found = _PROBLEM.search(text)
    if not found:
        return "", "\\boxed{unknown}"
    lines, answer = clock.work_out(found[1])
    return " ".join(lines), f"\\boxed{{{answer}}}"


def steps_in(text: str) -> int:
    """Return the number of steps of the problem in a prompt."""
    found = _PROBLEM.search(text)
    return len(found[1]) // 2 if found else 0


def judge(text: str) -> dict[str, Any]:
    """Return a judgement: every point holds, and the key is right if it is the rule's answer."""
    proposed, canary = _PROPOSED.search(text), _CANARY.search(text)
    right = proposed is not None and solve(text)[1] == f"\\boxed{{{proposed[1]}}}"
    found = {
        "working": "",
        "second_answer": "",
        "reasons": dict.fromkeys(POINTS, "by the rule"),
        "reason": "by the rule",
    }
    points = {**dict.fromkeys(POINTS, True), "correct": right}
    return {**found, **points, "subjects": [SUBJECT], "canary": canary[1] if canary else ""}
