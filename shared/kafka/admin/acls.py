"""Who may do what on Kafka, made from the flow: what a service reads, writes and keeps there, and nothing else.

    python -m shared.kafka.acls [--factory NAME] [--principal PATTERN] [--format commands|json]
    python -m shared.kafka.acls --apply          as a super user, whose login is in the environment as for any process

Read and Write imply Describe, and whoever may write to any Kafka topic may be an idempotent producer: neither needs a
line of its own (https://kafka.apache.org/documentation/#security_authz_primitives, KIP-679). Applying again changes
nothing; what an older flow allowed is not taken back.
"""

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Literal

from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from schemas.flow import DEAD_LETTERS, FLOW, SERVICE, SERVICES, TOPIC_IDS, consumed_by, produced_by
from shared.config.connections import KafkaAccess
from shared.config.settings import Connections
from shared.errors import Refusal
from shared.kafka.clients import administrator
from shared.kafka.names import group, kafka_topic

PRINCIPAL = "User:{factory}.{service}"
OPERATOR = "cli"
"""Name in the flow of whoever types commands; may do everything, within the factory."""

Operation = Literal["All", "Read", "Write"]

# Codes in the protocol: AclOperation, ResourceType, PatternType, AclPermissionType in org.apache.kafka.common.
_OPERATION = {"All": 2, "Read": 3, "Write": 4}
_KIND = {"topic": 2, "group": 3}
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3


@dataclass(frozen=True, slots=True)
class Grant:
    """One thing that a principal may do, from any host."""

    principal: str
    operation: Operation
    kind: Literal["topic", "group"]
    name: str
    prefixed: bool = False
    """Whether `name` is the beginning of the names that are meant."""


def grants(factory: str, principal: str = PRINCIPAL) -> list[Grant]:
    """All that a factory's processes may do. `principal` is a pattern of `{factory}` and `{service}`."""
    named = (*(flow.producers + flow.consumers for flow in FLOW), tuple(service.name for service in SERVICES))
    services = dict.fromkeys(name for names in named for name in names if name != OPERATOR)
    everything: list[Grant] = []
    for service in services:
        who = principal.format(factory=factory, service=service)
        everything += [Grant(who, "Read", "topic", kafka_topic(factory, name)) for name in reads(service)]
        if consumed_by(service):
            everything.append(Grant(who, "Read", "group", group(factory, service)))
        everything += [Grant(who, "Write", "topic", kafka_topic(factory, name)) for name in writes(service)]
    operator = principal.format(factory=factory, service=OPERATOR)
    everything.append(Grant(operator, "All", "topic", kafka_topic(factory, ""), prefixed=True))
    everything.append(Grant(operator, "All", "group", group(factory, ""), prefixed=True))
    return everything


def reads(service: str) -> list[str]:
    """Kafka topics that a service reads: its events, the offsets it was given, its state, what it looks into."""
    consumed = [flow.name for flow in consumed_by(service)]
    besides = SERVICE[service].reads if service in SERVICE else ()
    return list(dict.fromkeys([*consumed, TOPIC_IDS, *_state(service), *besides]))


def writes(service: str) -> list[str]:
    """Kafka topics that a service writes: its events, its state, and what it cannot handle."""
    return [*(flow.name for flow in produced_by(service)), *_state(service), DEAD_LETTERS]


def topics_of(factory: str, service: str) -> list[str]:
    """Every Kafka topic that a service has to do with, by its full name."""
    return sorted({kafka_topic(factory, name) for name in (*reads(service), *writes(service))})


def _state(service: str) -> list[str]:
    return [name for name, _ in SERVICE[service].state] if service in SERVICE else []


def commands(granted: Iterable[Grant]) -> Iterator[str]:
    """Render as lines for a shell with Kafka's own tool. The address and the login are left to two variables."""
    for (who, operation, prefixed), same in groupby(granted, lambda g: (g.principal, g.operation, g.prefixed)):
        words = ["--add", "--allow-principal", who, "--operation", operation]
        words += ["--resource-pattern-type", "prefixed"] if prefixed else []
        words += [word for grant in same for word in (f"--{grant.kind}", grant.name)]
        yield f'kafka-acls.sh --bootstrap-server "$KAFKA" --command-config "$CONFIG" {shlex.join(words)}'


async def apply(access: KafkaAccess, granted: Iterable[Grant]) -> None:
    """Give the grants. Raises Refusal when the broker has no authorizer, or we are no super user."""
    async with administrator(access) as admin:
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
            answer = await admin._send_to_controller(request)  # aiokafka 0.14 has the request, but no method for it
            for code, message in answer.creation_responses:
                if code:
                    raise Refusal(
                        f"Kafka at {access} does not take grants: {for_code(code).__name__}: {message}",
                        "Log in as a super user of a broker with an authorizer",
                    )


def main() -> int:
    """Print or apply."""
    parser = argparse.ArgumentParser(prog="python -m shared.kafka.acls", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--factory", help="default: CHIMERA_FACTORY, or chimera")
    parser.add_argument("--principal", default=PRINCIPAL, help="default: %(default)s")
    parser.add_argument("--format", choices=("commands", "json"), default="commands")
    parser.add_argument("--apply", action="store_true", help="give the grants to the broker at CHIMERA_KAFKA")
    options = parser.parse_args()
    settings = Connections() if options.factory is None else Connections(factory=options.factory)
    granted = grants(settings.factory, options.principal)
    if options.apply:
        try:
            asyncio.run(apply(settings.kafka_access, granted))
        except Refusal as refusal:
            sys.stderr.write(f"{refusal}\n")
            return 1
        sys.stderr.write(f"{len(granted)} grants given on {settings.kafka}\n")
    elif options.format == "json":
        sys.stdout.write(json.dumps([asdict(grant) for grant in granted], indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in commands(granted))
    return 0
