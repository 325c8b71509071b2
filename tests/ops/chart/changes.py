"""What a change of values replaces, and what a key of the values reaches.

A pod template that differs is one whose pods Kubernetes replaces.
"""

import tempfile
from collections.abc import Iterator
from typing import Any

import yaml

from schemas.flow import SERVICES
from tests.ops.chart.render import CHART, VERSIONS, Object, pods, render

ALL = {one.name.replace("_", "-") for one in SERVICES}
CALLERS = {one.name.replace("_", "-") for one in SERVICES if one.models}
VERIFICATION = {"verifier-a", "verifier-b", "panel", "answer-checker"}

CHANGES: tuple[tuple[str, dict[str, Any], set[str]], ...] = (
    ("rows", {"plan": {"rows": 500}}, set()),
    ("a weight", {"plan": {"subjects": {"mathematics": {"weight": 3}}}}, set()),
    ("releases", {"plan": {"releases": {"every_rows": 50}}}, set()),
    ("in_progress", {"plan": {"in_progress": 96}}, set()),
    ("verification", {"plan": {"verification": {"max_votes": 9}}}, VERIFICATION),
    ("solving", {"plan": {"solving": {"retries": 2}}}, {"panel", "probe", "answer-checker"}),
    ("a model", {"models": {"file": {"roles": {"base": {"model": "tiny"}}}}}, CALLERS),
    ("the recipe of training", {"trainer": {"recipe": {"base": {"model": "m"}}}}, set()),
)
"""What is changed in the set `minimal`, and the services that are replaced for it."""


def findings() -> Iterator[tuple[str, list[str]]]:
    """Yield every check with its findings."""
    before = _templates(_with({}))
    for what, values, replaced in CHANGES:
        after = _templates(_with(values))
        found = {name for name in ALL if before[name] != after[name]}
        yield f"a change of {what} replaces who reads it", [] if found == replaced else [f"{found}, not {replaced}"]
    yield "what a server of models is given reaches its pod", list(_server())
    yield "a server's own claim and key reach it and its callers", list(_own_volumes())
    yield "certificates to trust reach every process of ours", list(_trust())
    yield "with tokens each process is the principal that the grants name", list(_principals())
    yield "an image that is given by its digest is used by that alone", list(_digests())
    yield "a role of a cloud belongs to the aggregator alone", list(_roles())
    yield "alerts watch this factory alone, and name a URL", list(_alerts())
    yield "policies open the ports of store, metadata and traces", list(_egress())


def _with(values: dict[str, Any], base: str = "minimal") -> list[Object]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        return render(CHART / "ci" / f"{base}.yaml", VERSIONS[-1], f"--values={file.name}")


def _templates(objects: list[Object]) -> dict[str, Object]:
    return {str(owner["metadata"]["name"]).removeprefix("chimera-"): pod for owner, pod in pods(objects)}


def _server() -> Iterator[str]:
    objects = _with({}, "vllm")
    pod = _templates(objects)["vllm-solver"]["spec"]
    (solver,) = pod["containers"]
    sizes = {
        one["metadata"]["name"]: one["spec"]["resources"]["requests"]["storage"]
        for one in objects
        if one["kind"] == "PersistentVolumeClaim"
    }
    (writer,) = _templates(objects)["vllm-writer"]["spec"]["containers"]
    models = next(yaml.safe_load(one["data"]["models.yaml"]) for one in objects if "models.yaml" in one.get("data", {}))
    caller = _templates(objects)["problem-writer"]["spec"]
    (trainer,) = _templates(objects)["trainer"]["spec"]["containers"]
    facts = {
        "cache": sizes["chimera-vllm-solver"] == "600Gi" and sizes["chimera-vllm-base"] == "100Gi",
        "image": solver["image"].endswith(":v0.29.1") and not writer["image"].endswith(":v0.29.1"),
        "priority": pod["priorityClassName"] == "solver" and pod["runtimeClassName"] == "nvidia",
        "parser": "--reasoning-parser=qwen3" in solver["args"],
        "variables": _names(solver) >= {"VLLM_USE_DEEP_GEMM", "HF_TOKEN"} and "VLLM_API_KEY" not in _names(solver),
        "API key": "VLLM_API_KEY" in _names(writer) and writer["readinessProbe"]["httpGet"]["path"] == "/health",
        "key of the callers": models["endpoints"]["writer"]["key_file"] == "/etc/chimera/vllm/writer"
        and any(volume["name"] == "vllm-keys" for volume in caller["volumes"]),
        "trainer": _names(trainer) >= {"HF_TOKEN", "HF_HUB_ENABLE_HF_TRANSFER"},
    }
    yield from (f"{what} does not reach it" for what, is_there in facts.items() if not is_there)


def _own_volumes() -> Iterator[str]:
    """A claim of one's own is used and none is made; a models file may name the key that a server has."""
    endpoint = {"base_url": "http://chimera-vllm-writer:8000/v1", "key_file": "/etc/chimera/vllm/writer"}
    roles = {role: {"endpoint": "writer", "model": role} for role in ("writer", "verifier_a", "verifier_b", "solver")}
    values = {
        "models": {"file": {"endpoints": {"writer": endpoint}, "roles": roles}},
        "vllm": {"servers": {"solver": {"cache": {"existingClaim": "filled"}}}},
    }
    objects = _with(values, "vllm")
    claims = {one["metadata"]["name"] for one in objects if one["kind"] == "PersistentVolumeClaim"}
    volumes = {one["name"]: one for one in _templates(objects)["vllm-solver"]["spec"]["volumes"]}
    if "chimera-vllm-solver" in claims or volumes["models"]["persistentVolumeClaim"] != {"claimName": "filled"}:
        yield f"claims {sorted(claims)}, the solver's {volumes['models']}"
    if not any(one["name"] == "vllm-keys" for one in _templates(objects)["problem-writer"]["spec"]["volumes"]):
        yield "a caller has no key of the server"


def _trust() -> Iterator[str]:
    objects = _with({"trust": {"caSecret": "lab-ca"}}, "vllm")
    for owner, pod in _templates(objects).items():
        (container,) = pod["spec"]["containers"][:1]
        if not owner.startswith("vllm-") and "SSL_CERT_FILE" not in _names(container):
            yield f"{owner} does not trust it"


def _principals() -> Iterator[str]:
    for owner, pod in _templates(_with({"services": {"console": {"enabled": True}}}, "tokens")).items():
        user = owner if owner in ALL else "cli"
        if owner != "simulator" and pod["spec"]["serviceAccountName"] != f"chimera-{user}":
            yield f"{owner} is {pod['spec']['serviceAccountName']}"


def _digests() -> Iterator[str]:
    digest = {"digest": f"sha256:{'1' * 64}"}
    own = {"tag": "v0.29.1", "digest": f"sha256:{'2' * 64}"}
    values = {"image": {**digest, "requireDigest": True}, "trainer": {"image": digest}}
    objects = _with({**values, "vllm": {"image": digest, "servers": {"solver": {"image": own}}}}, "vllm")
    for owner, pod in pods(objects):
        wanted = own if owner["metadata"]["name"] == "chimera-vllm-solver" else digest
        for container in pod["spec"]["containers"]:
            if not container["image"].endswith("@" + wanted["digest"]):
                yield f"{owner['metadata']['name']}: {container['image']}"


def _roles() -> Iterator[str]:
    objects = _with({}, "production")
    roles = {
        one["metadata"]["name"]
        for one in objects
        if one["kind"] == "ServiceAccount" and "annotations" in one["metadata"]
    }
    holders = {name for name, pod in _templates(objects).items() if pod["spec"]["serviceAccountName"] in roles}
    if holders != {"aggregator"}:
        yield f"they are {holders}"


def _egress() -> Iterator[str]:
    ports = {
        one["metadata"]["name"].removeprefix("chimera-"): {
            port["port"] for rule in one["spec"].get("egress", []) for port in rule["ports"]
        }
        for one in _with({}, "production")
        if one["kind"] == "NetworkPolicy"
    }
    if not {9000, 80, 4318} <= ports["aggregator"]:
        yield f"aggregator: {ports['aggregator']}"
    mirror = _with({"networkPolicy": {"enabled": True, "internetPorts": [8080]}}, "vllm")
    (base,) = (
        one for one in mirror if (one["kind"], one["metadata"]["name"]) == ("NetworkPolicy", "chimera-vllm-base")
    )
    if [port["port"] for rule in base["spec"]["egress"] for port in rule["ports"]] != [8080]:
        yield f"a mirror of models: {base['spec']['egress']}"
    if 4318 not in ports["panel"] or 9000 in ports["panel"]:
        yield f"panel: {ports['panel']}"


def _alerts() -> Iterator[str]:
    (rules,) = [one["spec"] for one in _with({}, "production") if one["kind"] == "PrometheusRule"]
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        if 'factory=~".*"' in rule["expr"] or rule.get("labels", {}).get("factory", "lab") != "lab":
            yield f"{rule.get('alert') or rule['record']} looks at other factories"
        if rule.get("alert") and not rule["annotations"]["runbook_url"].startswith("https://docs.example.org/"):
            yield f"{rule['alert']}: {rule['annotations']['runbook_url']}"
    text = yaml.safe_dump(rules)
    yield from (f"{foreign} is not ours alone" for foreign in ("kafka|valkey", ".*chimera.*") if foreign in text)


def _names(container: Object) -> set[str]:
    return {variable["name"] for variable in container["env"]}
