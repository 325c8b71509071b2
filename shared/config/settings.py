"""Settings of all processes, from the environment: `kafka` is CHIMERA_KAFKA, and so on."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.config.connections import KafkaAccess, SaslCredentials, Tls, ValkeyAccess
from shared.errors import Refusal

OAUTHBEARER = "OAUTHBEARER"
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", OAUTHBEARER)
IN_CLEAR = ("PLAIN", OAUTHBEARER)
"""Mechanisms that send what proves who one is."""


class Connections(BaseSettings):
    """How to reach Kafka, Valkey and the dataset: the settings of a tool that is not a service."""

    model_config = SettingsConfigDict(env_prefix="CHIMERA_", frozen=True, extra="ignore", hide_input_in_errors=True)

    factory: str = Field(default="chimera", pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    """Name of the factory: prefix of Kafka topics, groups and Valkey keys, root of every id."""

    kafka: str = "127.0.0.1:9092"
    """Bootstrap servers, host:port, separated by commas."""
    kafka_tls: bool = False
    """Whether the brokers use TLS."""
    kafka_ca: Path | None = None
    """Trusted certificates, PEM; by default those of the system."""
    kafka_cert: Path | None = None
    """Client certificate, PEM, for brokers that request one."""
    kafka_key: Path | None = None
    """Key of the client certificate, PEM without a passphrase."""
    kafka_sasl: str | None = None
    """SASL mechanism: SCRAM-SHA-512, SCRAM-SHA-256, PLAIN or OAUTHBEARER."""
    kafka_username: str | None = None
    """User name; `python -m shared.kafka.acls` lists the permissions that each service's user needs."""
    kafka_password: SecretStr | None = None
    """The password of that user."""
    kafka_password_file: Path | None = None
    """A file with that password instead."""
    kafka_token_url: str | None = Field(default=None, pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])")
    """For OAUTHBEARER: the issuer's token endpoint. User and password are those of the client there."""
    kafka_token_scope: str | None = None
    """Scope to request, if the issuer needs one."""
    kafka_token_file: Path | None = None
    """For OAUTHBEARER: a file with the token itself instead, such as that of a Kubernetes service account."""

    valkey: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    """URL of the Valkey server; rediss:// for TLS; redis+sentinel://host:port,host:port/NAME/0 asks sentinels for the
    primary. It includes a user name, and may include a password."""
    valkey_ca: Path | None = None
    """Trusted certificates, PEM; by default those of the system."""
    valkey_password: SecretStr | None = None
    """The password, when it is not in the URL."""
    valkey_password_file: Path | None = None
    """A file with that password instead."""

    dataset: Path | str = Path("dataset")
    """Folder of the curated dataset, or its URL on an object store: s3://bucket/prefix, gs://…, abfs://…"""

    @property
    def kafka_access(self) -> KafkaAccess:
        """How to reach Kafka. Raises Refusal for contradictory settings, or a secret's file that cannot be read."""
        password = _secret("CHIMERA_KAFKA_PASSWORD", self.kafka_password, self.kafka_password_file)
        if not self.kafka_tls and (self.kafka_ca or self.kafka_cert or self.kafka_key):
            raise Refusal("Certificates are set for Kafka, but not TLS", "Set CHIMERA_KAFKA_TLS=true")
        if bool(self.kafka_cert) != bool(self.kafka_key):
            raise Refusal(
                "A Kafka client certificate needs its key", "Set both CHIMERA_KAFKA_CERT and CHIMERA_KAFKA_KEY"
            )
        if not self.kafka_sasl and (self.kafka_username or password):
            raise Refusal("A Kafka user is set, but no SASL mechanism", "Set CHIMERA_KAFKA_SASL=SCRAM-SHA-512")
        if self.kafka_sasl not in (None, *MECHANISMS):
            raise Refusal(
                f"Unsupported SASL mechanism {self.kafka_sasl!r}", f"Set CHIMERA_KAFKA_SASL to one of {MECHANISMS}"
            )
        if self.kafka_sasl in IN_CLEAR and not self.kafka_tls:
            raise Refusal(
                f"{self.kafka_sasl} without TLS would send the Kafka password or token unencrypted",
                "Set CHIMERA_KAFKA_TLS=true, or use SCRAM",
            )
        has_tokens = self.kafka_token_url or self.kafka_token_file
        if bool(has_tokens) != (self.kafka_sasl == OAUTHBEARER) or (self.kafka_token_url and self.kafka_token_file):
            raise Refusal(
                "OAUTHBEARER, and it alone, takes tokens from an issuer or from a file",
                "Set CHIMERA_KAFKA_SASL=OAUTHBEARER and one of CHIMERA_KAFKA_TOKEN_URL and CHIMERA_KAFKA_TOKEN_FILE",
            )
        login = None
        if self.kafka_token_file:
            login = SaslCredentials(OAUTHBEARER, "", SecretStr(""), token_file=self.kafka_token_file)
        elif self.kafka_sasl:
            if not self.kafka_username or not password:
                raise Refusal(
                    f"{self.kafka_sasl} needs a user and a password",
                    "Set CHIMERA_KAFKA_USERNAME and CHIMERA_KAFKA_PASSWORD or CHIMERA_KAFKA_PASSWORD_FILE",
                )
            login = SaslCredentials(
                self.kafka_sasl, self.kafka_username, password, self.kafka_token_url, self.kafka_token_scope
            )
        tls = Tls(self.kafka_ca, self.kafka_cert, self.kafka_key) if self.kafka_tls else None
        return KafkaAccess(self.kafka, tls, login)

    @property
    def valkey_access(self) -> ValkeyAccess:
        """How to reach Valkey. Raises Refusal as `kafka_access` does."""
        url = self.valkey.get_secret_value()
        password = _secret("CHIMERA_VALKEY_PASSWORD", self.valkey_password, self.valkey_password_file)
        if self.valkey_ca and not url.startswith(("rediss://", "rediss+sentinel://")):
            raise Refusal("Certificates are set for Valkey, but not TLS", "Begin CHIMERA_VALKEY with rediss://")
        return ValkeyAccess(url, self.valkey_ca, password)


def _secret(name: str, value: SecretStr | None, file: Path | None) -> SecretStr | None:
    """Read a secret from its setting or its file. Raises Refusal when both are set, or the file has none."""
    if file is None:
        return value
    if value is not None:
        raise Refusal(f"{name} and {name}_FILE are both set", "Remove one of them")
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{name}_FILE cannot be read: {file} ({type(error).__name__})", "Name a readable file") from error
    if not text:
        raise Refusal(f"{name}_FILE is empty: {file}", "Write the password into it")
    return SecretStr(text)


class Settings(Connections):
    """Settings of every service: its plan and models, and the limits of one process."""

    service: str
    """Name of this deployment: expansion, verifier-a, …; also its consumer group."""
    plan: Path = Path("plan.yaml")
    """The plan."""
    models: Path = Path("models.json")
    """The models file: the model of each role."""
    health_port: int = 8080
    """Port of /livez, /readyz and /metrics; 0 chooses a free one."""
    health_host: str = "127.0.0.1"
    """Address that the health server binds."""

    in_flight: int = Field(default=32, ge=1)
    """Events handled concurrently by one process."""
    session_s: float = Field(default=45.0, ge=6)
    """Kafka session timeout, in seconds: how long a process without heartbeats keeps its partitions. A short one makes
    takeover quick, a long one tolerates stalls."""
    poll_s: float = Field(default=300.0, gt=0)
    """A process that polls no records for this time leaves its consumer group, in seconds."""
    batch_events: int = Field(default=500, ge=1)
    """Largest batch of events of a stateful service or sink."""
    batch_s: float = Field(default=1.0, ge=0)
    """Under steady load a sink commits once in this time, in seconds; after a quiet time it commits immediately."""
    uncommitted: int = Field(default=200, ge=1)
    """Finished but uncommitted records of a partition at which it is paused."""
    attempts: int = Field(default=5, ge=1)
    """Attempts of one event, across processes, before it becomes a dead letter. With three or more, an event that was
    only in flight when processes crashed is not taken for the cause."""
    backoff_s: float = Field(default=0.5, gt=0)
    """First wait after a transient error, in seconds; doubles with each retry, with jitter."""
    bugs_in_a_row: int = Field(default=20, ge=1)
    """Consecutive failed events, whatever the cause, at which a process stops consuming and tries one event at a time,
    with backoff, until one succeeds. Earlier versions counted bugs only."""
    drain_s: float = Field(default=5.0, ge=0)
    """How long a rebalance waits for running events, in seconds. Longer ones continue, and the new owner waits."""
    lease_s: float = Field(default=15.0, ge=1)
    """How long a process that does not renew its leases keeps its running events, in seconds."""
    grace_s: float = Field(default=25.0, ge=0)
    """How long running events may continue after SIGTERM, in seconds."""
    idle_s: float = Field(default=0.0, ge=0)
    """A handler's process ends after this time without work, in seconds; 0: never. For jobs."""
    marker_days: float = Field(default=7.0, gt=0)
    """How long a done event is remembered, in days."""
