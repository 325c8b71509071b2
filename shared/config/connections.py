"""How a process reaches Kafka and Valkey: where they are, whom it trusts, who it is.

Made from the environment by `shared.config.settings`, from a bare address in the one-machine stack:
`KafkaAccess("127.0.0.1:9092")`. A password is a SecretStr, so that no repr, log line or exception shows it.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from shared.errors import Refusal


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust, and the certificate to show to a server that asks for one. All files are PEM."""

    ca: Path | None = None
    """Certificates to trust; `None`: those that the system trusts."""
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Load the files. Raises Refusal when one of them cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            raise Refusal(f"{self.ca} cannot be read as certificates to trust ({error})", "Name a PEM file") from error
        if self.cert:
            try:
                context.load_cert_chain(self.cert, self.key, password="")  # empty: never ask on the terminal
            except OSError as error:
                raise Refusal(
                    f"{self.cert} and {self.key} cannot be read as a certificate and its key ({error})",
                    "Name two PEM files that belong together, the key without a passphrase",
                ) from error
        return context


@dataclass(frozen=True, slots=True)
class SaslCredentials:
    """Who we are, by SASL."""

    mechanism: str
    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """The brokers to ask first, as "host:port,host:port", and how to speak to them."""

    servers: str
    tls: Tls | None = None
    login: SaslCredentials | None = None

    @property
    def protocol(self) -> str:
        """Kafka's name for what is spoken: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
        encryption = "SSL" if self.tls else "PLAINTEXT"
        return f"SASL_{encryption}" if self.login else encryption

    def __str__(self) -> str:
        return f"{self.servers} as {self.login.username}" if self.login else self.servers


@dataclass(frozen=True, slots=True)
class ValkeyAccess:
    """A redis:// URL, or rediss:// for TLS. The password may stand in it or apart."""

    url: str = field(repr=False)
    ca: Path | None = None
    password: SecretStr | None = None
