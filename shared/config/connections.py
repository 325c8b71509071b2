"""How a process reaches Kafka and Valkey: addresses, trusted certificates, credentials.

`shared.config.settings` builds them from the environment; the one-machine stack from an address only:
`KafkaAccess("127.0.0.1:9092")`. A password is a SecretStr, so that no repr, log line or exception shows it.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from shared.errors import Refusal


@dataclass(frozen=True, slots=True)
class Tls:
    """Trusted certificates, and the client certificate for servers that request one. All files are PEM."""

    ca: Path | None = None
    """Trusted certificates; `None`: those of the system."""
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Load the files. Raises Refusal when one of them is not valid."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            raise Refusal(f"{self.ca} cannot be read as trusted certificates ({error})", "Name a PEM file") from error
        if self.cert:
            try:
                context.load_cert_chain(self.cert, self.key, password="")  # empty: never prompt on the terminal
            except OSError as error:
                raise Refusal(
                    f"{self.cert} and {self.key} cannot be read as a certificate and its key ({error})",
                    "Name two PEM files that belong together, the key without a passphrase",
                ) from error
        return context


@dataclass(frozen=True, slots=True)
class SaslCredentials:
    """Credentials of a SASL login. With OAUTHBEARER user and password are those of a client at the issuer of tokens."""

    mechanism: str
    username: str
    password: SecretStr
    token_url: str | None = None
    token_scope: str | None = None
    token_file: Path | None = None
    """A file with the token itself, which others renew; then there is neither user nor password."""


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """The bootstrap servers, as "host:port,host:port", with TLS and credentials."""

    servers: str
    tls: Tls | None = None
    login: SaslCredentials | None = None

    @property
    def protocol(self) -> str:
        """Kafka's security protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
        encryption = "SSL" if self.tls else "PLAINTEXT"
        return f"SASL_{encryption}" if self.login else encryption

    def __str__(self) -> str:
        return f"{self.servers} as {self.login.username}" if self.login else self.servers


@dataclass(frozen=True, slots=True)
class ValkeyAccess:
    """A redis:// URL, or rediss:// for TLS; redis+sentinel://host:port,host:port/NAME/0 asks sentinels for the primary.

    The password is in the URL or separate.
    """

    url: str = field(repr=False)
    ca: Path | None = None
    password: SecretStr | None = None
