"""Rules for rendered objects, beyond what a schema can express."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase

from schemas.config.models_config import ModelsConfig
from schemas.config.plan import Plan
from schemas.flow import DEFAULT_PARTITIONS, SERVICES, consumed_by
from shared.telemetry import metrics
from tests.ops.chart.render import Object, matches, pods

OURS = ("/etc/chimera/config/", "/etc/chimera/kafka/", "/etc/chimera/valkey/")
OPERATORS = {"container", "endpoint", "instance", "job", "namespace", "pod"}
"""Labels that the Prometheus operator adds to targets of a PodMonitor."""
SCALERS = ("ScaledObject", "HorizontalPodAutoscaler")


def broken(objects: list[Object]) -> Iterator[str]:
    """Yield every violated rule, with the object."""
    for rule in (
        unique,
        selectors,
        scraped,
        containers,
        files,
        own_prompts,
        scaled,
        triggers,
        hardened,
        reachable,
        readable,
        accounts,
        variables,
    ):
        yield from rule(objects)


def unique(objects: list[Object]) -> Iterator[str]:
    """Each object exists once."""
    counted = Counter((one["kind"], one["metadata"]["name"]) for one in objects)
    yield from (f"{kind} {name} stands there {times} times" for (kind, name), times in counted.items() if times > 1)


def selectors(objects: list[Object]) -> Iterator[str]:
    """Every selector matches pods, a Service's port is one of theirs, a Deployment matches its own pods only."""
    labels = {name(owner): pod["metadata"]["labels"] for owner, pod in pods(objects)}
    ports = {name(owner): _ports(pod) for owner, pod in pods(objects)}
    for one in objects:
        spec = one.get("spec") or {}
        selector = spec.get("selector") or spec.get("podSelector")
        if not selector:
            continue
        found = [owner for owner in labels if matches(selector, labels[owner])]
        if not found:
            yield f"{name(one)} selects nothing"
        if one["kind"] == "Deployment" and found != [name(one)]:
            yield f"{name(one)} selects the pods of {found}"
        for port in spec.get("ports", []) if one["kind"] == "Service" else []:
            if any(ports[owner].get(port.get("targetPort")) != port["port"] for owner in found):
                yield f"{name(one)}: no port {port}"
    requested = {port["port"] for one in objects for port in (one.get("spec") or {}).get("podMetricsEndpoints", [])}
    if requested - {port for found in ports.values() for port in found}:
        yield f"PodMonitor: no port {requested}"


def scraped(objects: list[Object]) -> Iterator[str]:
    """No label of our metrics is overwritten by a target label of the operator."""
    reported = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    labels = {label for metric in reported for label in metric._labelnames}
    for place in (place for one in objects for place in (one.get("spec") or {}).get("podMetricsEndpoints", [])):
        dropped = {rule["regex"] for rule in place.get("relabelings", []) if rule["action"] == "labeldrop"}
        if hidden := labels & OPERATORS - dropped:
            yield f"PodMonitor: hides our labels {hidden}"


def containers(objects: list[Object]) -> Iterator[str]:
    """Probes use an existing port; the grace period exceeds the drain; memory is limited; no duplicate variable."""
    for owner, pod in pods(objects):
        for container in pod["spec"]["containers"]:
            ports = {port["name"] for port in container.get("ports", [])}
            probes = [probe for kind, probe in container.items() if kind.endswith("Probe")]
            if any(probe["httpGet"]["port"] not in ports for probe in probes):
                yield f"{name(owner)}: a probe asks a port that is not there"
            if owner["kind"] == "Deployment" and len(probes) != 3:  # start, live, ready
                yield f"{name(owner)} has {len(probes)} probes"
            env = Counter(variable["name"] for variable in container.get("env", []))
            yield from (f"{name(owner)}: {key} stands there twice" for key, times in env.items() if times > 1)
            grace = value(container, "CHIMERA_GRACE_S")
            if grace and pod["spec"]["terminationGracePeriodSeconds"] < float(grace) + 20:
                yield f"{name(owner)} is killed before it has drained"
            if "memory" not in container["resources"].get("limits", {}) or not container["resources"].get("requests"):
                yield f"{name(owner)}: requests, or the memory limit, are missing"


def files(objects: list[Object]) -> Iterator[str]:
    """Mounts and volumes match, and every file named in a variable is on a mount."""
    for owner, pod in pods(objects):
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        mounted = {mount["name"] for c in pod["spec"]["containers"] for mount in c.get("volumeMounts", [])}
        if mounted != volumes.keys():
            yield f"{name(owner)}: volumes {sorted(volumes)}, mounted {sorted(mounted)}"
        for container in pod["spec"]["containers"]:
            there = {
                f"{mount['mountPath']}/{path}"
                for mount in container.get("volumeMounts", [])
                for path in _paths(volumes.get(mount["name"], {}), objects)
            }
            for variable in container.get("env", []):
                path = str(variable.get("value", ""))
                if path.startswith(OURS) and path not in there:
                    yield f"{name(owner)}: {variable['name']} is {path}, but there are {sorted(there)}"


def own_prompts(objects: list[Object]) -> Iterator[str]:
    """Every container that reads a models file has the folder of prompts that the file names."""
    texts = [one.get("data", {}).get("models.yaml", "{}") for one in objects if one["kind"] == "ConfigMap"]
    folders = [folder for text in texts if (folder := yaml.safe_load(text).get("prompts"))]
    for owner, pod in pods(objects) if folders else ():
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        for container in pod["spec"]["containers"]:
            if not (value(container, "CHIMERA_MODELS") or value(container, "CHIMERA_JUDGE")):
                continue
            there = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
            if not all(list(_paths(there.get(folder, {}), objects)) for folder in folders):
                yield f"{name(owner)}: no prompts in {folders}"


def scaled(objects: list[Object]) -> Iterator[str]:
    """A scaled Deployment exists, sets no replicas, has one scaler, and never more replicas than partitions."""
    deployments = {one["metadata"]["name"]: one for one in objects if one["kind"] == "Deployment"}
    scalers = [one for one in objects if one["kind"] in SCALERS]
    plans = [yaml.safe_load(one["data"]["plan.yaml"]) for one in objects if "plan.yaml" in one.get("data", {})]
    in_progress = next((plan.get("in_progress", Plan.model_fields["in_progress"].default) for plan in plans), 0)
    targets = Counter(one["spec"]["scaleTargetRef"]["name"] for one in scalers)
    yield from (f"{target} has {times} scalers" for target, times in targets.items() if times > 1)
    for one in scalers:
        target = deployments.get(one["spec"]["scaleTargetRef"]["name"])
        if target is None or "replicas" in target["spec"]:
            yield f"{name(one)}: its Deployment is missing, or says replicas"
        most = one["spec"].get("maxReplicaCount") or one["spec"]["maxReplicas"]
        lags = {int(one["metadata"]["lagThreshold"]) for one in one["spec"].get("triggers", [])}
        if any(lag * (most - 1) >= in_progress for lag in lags):
            yield f"{name(one)}: {in_progress} problems never want {most} processes"
        if most > DEFAULT_PARTITIONS:
            yield f"{name(one)}: {most} replicas, {DEFAULT_PARTITIONS} partitions"
    for service in SERVICES:
        kube = f"chimera-{service.name.replace('_', '-')}"
        if (
            service.single_active
            and kube in deployments
            and (deployments[kube]["spec"].get("replicas") not in (0, 1) or targets[kube])
        ):
            yield f"{kube}: only one may work"
    unscaled = [key for key, one in deployments.items() if "replicas" not in one["spec"] and key not in targets]
    yield from (f"{key} says no replicas, and nothing scales it" for key in unscaled)


def triggers(objects: list[Object]) -> Iterator[str]:
    """A service is scaled by its group's lag on exactly the Kafka topics that it consumes."""
    for one in objects:
        if one["kind"] not in ("ScaledObject", "ScaledJob"):
            continue
        requested = [trigger["metadata"] for trigger in one["spec"]["triggers"]]
        (group,) = {metadata["consumerGroup"] for metadata in requested}
        factory, _, service = group.partition(".")
        wanted = [f"{factory}.{flow.name}" for flow in consumed_by(service)]
        if [metadata["topic"] for metadata in requested] != wanted:
            yield f"{name(one)}: {[metadata['topic'] for metadata in requested]}, but {service} consumes {wanted}"
        if not one["metadata"]["name"].endswith(service.replace("_", "-")):
            yield f"{name(one)} looks at the group of {service}"
        if any("excludePersistentLag" in metadata for metadata in requested):
            yield f"{name(one)}: a long call looks like a lag that persists"


def hardened(objects: list[Object]) -> Iterator[str]:
    """Pods meet the standard `restricted` and have a read-only root."""
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    for owner, pod in pods(objects):
        context = pod["spec"]["securityContext"]
        if not context["runAsNonRoot"] or context["seccompProfile"] != {"type": "RuntimeDefault"}:
            yield f"{name(owner)}: its pod is not restricted"
        if pod["spec"]["automountServiceAccountToken"]:
            yield f"{name(owner)} gets a token of the cluster, and needs none"
        for container in pod["spec"]["containers"]:
            if not wanted.items() <= container["securityContext"].items():
                yield f"{name(owner)}: {container['name']} is not restricted"


def reachable(objects: list[Object]) -> Iterator[str]:
    """With network policies, every process can reach its Kafka and Valkey."""
    policies = [one["spec"] for one in objects if one["kind"] == "NetworkPolicy"]
    for owner, pod in pods(objects) if policies else ():
        own = [policy for policy in policies if matches(policy["podSelector"], pod["metadata"]["labels"])]
        opened = {p["port"] for policy in own for rule in policy.get("egress", []) for p in rule["ports"]} - {53, 443}
        reported = [value(pod["spec"]["containers"][0], f"CHIMERA_{what}") for what in ("KAFKA", "VALKEY")]
        needed = {int(port) for address in reported for port in re.findall(r":(\d+)", address or "")}
        if not needed <= opened or not any("Egress" in policy["policyTypes"] for policy in own):
            yield f"{name(owner)} needs {sorted(needed)}, and may go to {sorted(map(str, opened))}"


def accounts(objects: list[Object]) -> Iterator[str]:
    """Every rendered ServiceAccount is used, and a role of a cloud belongs to as few pods as possible."""
    used = {pod["spec"]["serviceAccountName"] for _, pod in pods(objects)}
    made = {one["metadata"]["name"] for one in objects if one["kind"] == "ServiceAccount"}
    yield from (f"ServiceAccount {unused} belongs to no pod" for unused in sorted(made - used))


def variables(objects: list[Object]) -> Iterator[str]:
    """A process has the models file, the plan and keys of endpoints only if it needs them."""
    for owner, pod in pods(objects):
        service = next((one for one in SERVICES if name(owner).endswith(f"-{one.name.replace('_', '-')}")), None)
        for container in pod["spec"]["containers"]:
            mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
            if (
                service
                and not service.models
                and (value(container, "CHIMERA_MODELS") or mounted & {"keys", "vllm-keys"})
            ):
                yield f"{name(owner)} calls no model, and gets their keys"
            if not value(container, "CHIMERA_KAFKA") and mounted & {"kafka", "valkey", "config"}:
                yield f"{name(owner)} has files that it does not need: {sorted(mounted)}"


def readable(objects: list[Object]) -> Iterator[str]:
    """Plan and models file are valid."""
    for one in objects:
        if one["kind"] == "ConfigMap" and "plan.yaml" in one.get("data", {}):
            for file, kind in (("plan.yaml", Plan), ("models.yaml", ModelsConfig)):
                try:
                    kind.model_validate(yaml.safe_load(one["data"][file]))
                except ValueError as error:
                    yield f"{file}: {error}"


def name(one: Object) -> str:
    """Return kind and name of an object."""
    return f"{one['kind']} {one['metadata']['name']}"


def value(container: Object, variable: str) -> str | None:
    """Return the value of a container's variable, None if it is not set."""
    return next((one.get("value") for one in container.get("env", []) if one["name"] == variable), None)


def _ports(pod: Object) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for c in pod["spec"]["containers"] for port in c.get("ports", [])}


def _paths(volume: Object, objects: list[Object]) -> Iterator[str]:
    """Yield the files of a volume that the chart defines."""
    for source in volume.get("projected", {}).get("sources", []):
        if token := source.get("serviceAccountToken"):
            yield token["path"]
        else:
            yield from (item["path"] for item in source["secret"]["items"])
    wanted: Any = volume.get("configMap", {}).get("name")
    for one in objects:
        if one["kind"] == "ConfigMap" and one["metadata"]["name"] == wanted:
            yield from one.get("data", ())
