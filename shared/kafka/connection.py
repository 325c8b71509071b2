"""How a client connects to a broker, and why one does not take it.

A broker that does not trust us, that we do not trust, or that does not let us read or write, is a Refusal that names
it: aiokafka tells the first two to its log alone.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from shared.config.connections import KafkaAccess
from shared.errors import Refusal


def options(access: KafkaAccess) -> dict[str, Any]:
    """Build what every aiokafka client takes."""
    found: dict[str, Any] = {"bootstrap_servers": access.servers, "security_protocol": access.protocol}
    if access.tls:
        found["ssl_context"] = access.tls.context()
    if login := access.login:
        found["sasl_mechanism"] = login.mechanism
        found["sasl_plain_username"] = login.username
        found["sasl_plain_password"] = login.password.get_secret_value()
    return found


@contextmanager
def authorized(access: KafkaAccess) -> Iterator[None]:
    """Say plainly what the broker does not let us do: raises Refusal for it."""
    try:
        yield
    except (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
        raise forbidden(access, _what(error)) from error


def _what(error: KafkaError) -> str:
    if isinstance(error, ClusterAuthorizationFailedError):  # of an idempotent producer that may write nowhere
        return "any topic, or the cluster itself"
    kind = "group" if isinstance(error, GroupAuthorizationFailedError) else "topic"
    return " ".join([kind, *map(str, error.args)])


def forbidden(access: KafkaAccess, what: str) -> Refusal:
    """Build the Refusal for what a broker does not let us do."""
    who = access.login.username if access.login else "us"
    return Refusal(
        f"Kafka at {access.servers} does not let {who} use {what} like this",
        "Grant what python -m shared.kafka.acls prints, or log in as the right user",
    )


async def why_refused(access: KafkaAccess, found: KafkaConnectionError) -> Refusal | KafkaConnectionError:
    """Find out why no broker takes us: aiokafka only logs it. `found` when one does by now."""
    connection = {name: value for name, value in options(access).items() if name != "bootstrap_servers"}
    for host, port, _ in collect_hosts(access.servers):
        try:
            (await create_conn(host, port, **connection)).close()
        except (SaslAuthenticationFailed, UnsupportedSaslMechanismError) as error:
            return Refusal(
                f"Kafka at {host}:{port} refuses user {access.login and access.login.username} ({error})",
                "Correct CHIMERA_KAFKA_SASL, _USERNAME and _PASSWORD, or make that user",
            )
        except ssl.SSLCertVerificationError as error:
            return Refusal(
                f"Kafka at {host}:{port} shows a certificate that is not trusted ({error.verify_message})",
                "Name the authority that signed it in CHIMERA_KAFKA_CA, or correct the host name in CHIMERA_KAFKA",
            )
        except (OSError, KafkaError) as error:  # TimeoutError is an OSError
            found = KafkaConnectionError(f"{host}:{port}: {type(error).__name__}: {error}")
    return found
