"""Summarises kubectl's JSON for try-chart; needs only Python.

kubectl get pods --output=json | python3 explain_pods.py pods      pods that are not ready, with their last message
kubectl … --output=json        | python3 explain_pods.py secrets   secrets that objects need, with their keys
"""

import json
import sys
from collections.abc import Iterator
from typing import Any


def unready(pods: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each pod that is not ready."""
    for pod in pods:
        status = pod["status"]
        parts = status.get("containerStatuses", [])
        if status.get("phase") == "Succeeded" or (parts and all(part["ready"] for part in parts)):
            continue
        reported = [one.get("message") for one in status.get("conditions", []) if one["status"] != "True"]
        states = [state for part in parts for kind in ("lastState", "state") for state in part.get(kind, {}).values()]
        reported += [" ".join(filter(None, (one.get("reason"), one.get("message", "").strip()))) for one in states]
        output = "; ".join(dict.fromkeys(filter(None, reported))) or status.get("phase", "unknown")
        yield f"{pod['metadata']['name']}: {output}"


def secrets(found: Any) -> Iterator[tuple[str, str]]:
    """Yield every referenced secret and key; an empty key stands for all keys."""
    if isinstance(found, list):
        for one in found:
            yield from secrets(one)
    elif isinstance(found, dict):
        for name, part in found.items():
            if name == "secretName":
                yield part, ""
            elif name in ("secretRef", "secretKeyRef"):
                yield part["name"], part.get("key", "")
            elif name == "secretTargetRef":
                yield from ((one["name"], one["key"]) for one in part)
            elif name == "secret" and "items" in part:
                yield from ((part["name"], item["key"]) for item in part["items"])
            else:
                yield from secrets(part)


if __name__ == "__main__":
    document = json.load(sys.stdin)
    named = sorted({f"{name} {key}".strip() for name, key in secrets(document)})
    for line in (f"  {one}" for one in unready(document["items"])) if sys.argv[1] == "pods" else named:
        print(line)  # noqa: T201
