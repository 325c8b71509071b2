"""How a client connects to a broker, and why a broker refuses it.

Failed authentication, an untrusted certificate and a missing permission become a Refusal with the broker's name.
aiokafka only logs the first two.
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
from shared.config.settings import OAUTHBEARER
from shared.errors import Refusal
from shared.kafka.tokens import TokenProvider


def client_options(access: KafkaAccess) -> dict[str, Any]:
    """Build the options that every aiokafka client takes."""
    built: dict[str, Any] = {"bootstrap_servers": access.servers, "security_protocol": access.protocol}
    if access.tls:
        built["ssl_context"] = access.tls.context()
    if login := access.login:
        built["sasl_mechanism"] = login.mechanism
        if login.mechanism == OAUTHBEARER:
            built["sasl_oauth_token_provider"] = TokenProvider(login)
        else:
            built["sasl_plain_username"] = login.username
            built["sasl_plain_password"] = login.password.get_secret_value()
    return built


@contextmanager
def translate_denials(access: KafkaAccess) -> Iterator[None]:
    """Raise a Refusal for a permission that the broker denies."""
    try:
        yield
    except (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
        raise permission_refusal(access, _resource(error)) from error


def _resource(error: KafkaError) -> str:
    if isinstance(error, ClusterAuthorizationFailedError):  # raised for an idempotent producer without any grant
        return "any topic, or the cluster itself"
    kind = "group" if isinstance(error, GroupAuthorizationFailedError) else "topic"
    return " ".join([kind, *map(str, error.args)])


def permission_refusal(access: KafkaAccess, what: str) -> Refusal:
    """Build the Refusal for a resource that a broker denies."""
    user = access.login.username if access.login else "an anonymous client"
    return Refusal(
        f"Kafka at {access.servers} does not let {user} use {what} like this",
        "Add the grants that python -m shared.kafka.acls prints, or log in as another user",
    )


async def explain_refusal(access: KafkaAccess, failure: KafkaConnectionError) -> Refusal | KafkaConnectionError:
    """Find out why no broker accepts a connection. Returns `failure` when one accepts it now."""
    connection = {name: value for name, value in client_options(access).items() if name != "bootstrap_servers"}
    for host, port, _ in collect_hosts(access.servers):
        try:
            (await create_conn(host, port, **connection)).close()
        except (SaslAuthenticationFailed, UnsupportedSaslMechanismError) as error:
            return Refusal(
                f"Kafka at {host}:{port} refuses user {access.login and access.login.username} ({error})",
                "Correct CHIMERA_KAFKA_SASL, _USERNAME, _PASSWORD and _TOKEN_…, or create that user",
            )
        except ssl.SSLCertVerificationError as error:
            return Refusal(
                f"Kafka at {host}:{port} presents a certificate that is not trusted ({error.verify_message})",
                "Set CHIMERA_KAFKA_CA to the authority that signed it, or correct the host name in CHIMERA_KAFKA",
            )
        except (OSError, KafkaError) as error:  # TimeoutError is an OSError
            failure = KafkaConnectionError(f"{host}:{port}: {type(error).__name__}: {error}")
    return failure
