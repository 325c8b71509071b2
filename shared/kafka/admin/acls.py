"""Kafka's access control lists, derived from the flow: a service may read and write its own Kafka topics only.

    python -m shared.kafka.acls [--factory NAME] [--principal PATTERN] [--format commands|json]
    python -m shared.kafka.acls --format strimzi --principal 'User:{factory}-{name}' [--cluster NAME]
    python -m shared.kafka.acls --apply          as a super user, with the login from the environment

Read and Write imply Describe, and a principal with any Write may be an idempotent producer, so neither is granted
separately (https://kafka.apache.org/documentation/#security_authz_primitives, KIP-679). Applying again changes nothing.
Grants of an older flow are not removed.
"""

import argparse
import asyncio
import json
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from schemas.flow import DEAD_LETTERS, FLOW, SERVICE, SERVICES, TOPIC_IDS, consumed_by, produced_by
from shared.config.connections import KafkaAccess
from shared.config.settings import Connections
from shared.errors import Refusal
from shared.kafka.clients import open_admin
from shared.kafka.names import group, kafka_topic

PRINCIPAL = "User:{factory}.{service}"
OPERATOR = "cli"
"""Name in the flow of the command line; may do everything within the factory."""

Operation = Literal["All", "Read", "Write"]

# Codes in the protocol: AclOperation, ResourceType, PatternType, AclPermissionType in org.apache.kafka.common.
_OPERATION = {"All": 2, "Read": 3, "Write": 4}
_KIND = {"topic": 2, "group": 3}
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3
_KUBERNETES_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Grant:
    """One operation allowed to a principal, from any host."""

    principal: str
    operation: Operation
    kind: Literal["topic", "group"]
    name: str
    prefixed: bool = False
    """Whether `name` is a prefix."""


def grants(factory: str, principal: str = PRINCIPAL) -> list[Grant]:
    """Grants for all processes of a factory.

    `principal` is a pattern with `{factory}`, `{service}` and `{name}`, the service as Kubernetes spells it.
    """
    named = (*(flow.producers + flow.consumers for flow in FLOW), tuple(service.name for service in SERVICES))
    services = dict.fromkeys(name for names in named for name in names if name != OPERATOR)
    granted: list[Grant] = []
    for service in services:
        user = _fill(principal, factory, service)
        granted += [Grant(user, "Read", "topic", kafka_topic(factory, name)) for name in topics_read(service)]
        if consumed_by(service):
            granted.append(Grant(user, "Read", "group", group(factory, service)))
        granted += [Grant(user, "Write", "topic", kafka_topic(factory, name)) for name in topics_written(service)]
    operator = _fill(principal, factory, OPERATOR)
    granted.append(Grant(operator, "All", "topic", kafka_topic(factory, ""), prefixed=True))
    granted.append(Grant(operator, "All", "group", group(factory, ""), prefixed=True))
    return granted


def _fill(principal: str, factory: str, service: str) -> str:
    return principal.format(factory=factory, service=service, name=service.replace("_", "-"))


def topics_read(service: str) -> list[str]:
    """Kafka topics that a service reads: its events, the topic ids, its state, and those it reads without a group."""
    consumed = [flow.name for flow in consumed_by(service)]
    without_group = SERVICE[service].reads if service in SERVICE else ()
    return list(dict.fromkeys([*consumed, TOPIC_IDS, *_state(service), *without_group]))


def topics_written(service: str) -> list[str]:
    """Kafka topics that a service writes: its events, its state and dead letters."""
    return [*(flow.name for flow in produced_by(service)), *_state(service), DEAD_LETTERS]


def topics_used(factory: str, service: str) -> list[str]:
    """Full names of all Kafka topics that a service reads or writes."""
    return sorted({kafka_topic(factory, name) for name in (*topics_read(service), *topics_written(service))})


def _state(service: str) -> list[str]:
    return [name for name, _ in SERVICE[service].state] if service in SERVICE else []


def commands(granted: Iterable[Grant]) -> Iterator[str]:
    """Render as shell commands for Kafka's own tool, which take the address and the login from two variables."""
    for (user, operation, prefixed), same in groupby(granted, lambda g: (g.principal, g.operation, g.prefixed)):
        words = ["--add", "--allow-principal", user, "--operation", operation]
        words += ["--resource-pattern-type", "prefixed"] if prefixed else []
        words += [word for grant in same for word in (f"--{grant.kind}", grant.name)]
        yield f'kafka-acls.sh --bootstrap-server "$KAFKA" --command-config "$CONFIG" {shlex.join(words)}'


def kafka_users(granted: Iterable[Grant], cluster: str) -> dict[str, Any]:
    """Render as a list of Strimzi's KafkaUser, one for each principal, for `kubectl apply --filename -`.

    Raises Refusal for a principal that Kubernetes does not take as a name.
    """
    users: dict[str, list[dict[str, Any]]] = {}
    for grant in granted:
        pattern = "prefix" if grant.prefixed else "literal"
        resource = {"type": grant.kind, "name": grant.name, "patternType": pattern}
        acls = users.setdefault(grant.principal.removeprefix("User:"), [])
        acls.append({"resource": resource, "operations": [grant.operation]})
    if wrong := [name for name in users if not _KUBERNETES_NAME.fullmatch(name)]:
        raise Refusal(f"{wrong[0]} cannot be the name of a KafkaUser", "Add --principal 'User:{factory}-{name}'")
    return {"apiVersion": "v1", "kind": "List", "items": [_kafka_user(*user, cluster) for user in users.items()]}


def _kafka_user(name: str, acls: list[dict[str, Any]], cluster: str) -> dict[str, Any]:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": cluster}},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": acls},
        },
    }


async def apply(access: KafkaAccess, granted: Iterable[Grant]) -> None:
    """Create the grants. Raises Refusal when the broker has no authorizer, or the login is not a super user."""
    async with open_admin(access) as admin:
        for grant in granted:
            request = CreateAclsRequest(
                _KIND[grant.kind],
                grant.name,
                _PREFIXED if grant.prefixed else _LITERAL,
                grant.principal,
                "*",
                _OPERATION[grant.operation],
                _ALLOW,
            )
            reply = await admin._send_to_controller(request)  # aiokafka 0.14 has the request, but no method for it
            for code, message in reply.creation_responses:
                if code:
                    raise Refusal(
                        f"Kafka at {access} does not accept grants: {for_code(code).__name__}: {message}",
                        "Log in as a super user of a broker with an authorizer",
                    )


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m shared.kafka.acls", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--factory", help="default: CHIMERA_FACTORY, or chimera")
    parser.add_argument("--principal", default=PRINCIPAL, help="default: %(default)s")
    parser.add_argument("--format", choices=("commands", "json", "strimzi"), default="commands")
    parser.add_argument("--cluster", default="kafka", help="Strimzi's name of the Kafka; default: %(default)s")
    parser.add_argument("--apply", action="store_true", help="create the grants on the broker at CHIMERA_KAFKA")
    options = parser.parse_args()
    settings = Connections() if options.factory is None else Connections(factory=options.factory)
    granted = grants(settings.factory, options.principal)
    try:
        _output(granted, options, settings)
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0


def _output(granted: list[Grant], options: argparse.Namespace, settings: Connections) -> None:
    if options.apply:
        asyncio.run(apply(settings.kafka_access, granted))
        sys.stderr.write(f"{len(granted)} grants created on {settings.kafka}\n")
    elif options.format == "strimzi":
        sys.stdout.write(json.dumps(kafka_users(granted, options.cluster), indent=1) + "\n")
    elif options.format == "json":
        sys.stdout.write(json.dumps([asdict(grant) for grant in granted], indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in commands(granted))
