"""A broker that requires a client certificate and a password or token, with ACLs of the flow; and TLS for Valkey.

A second, plaintext listener is for the tests, as super user.
"""

import asyncio
import base64
import json
import signal
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from deploy.local.download import download
from deploy.local.kafka import Kafka
from deploy.local.ports import LOOPBACK, Ports
from deploy.local.process import Command, Process, RestartPolicy
from deploy.local.valkey import Valkey
from schemas.flow import SERVICES
from shared.config.connections import KafkaAccess, SaslCredentials, Tls
from shared.kafka.admin.acls import OPERATOR, apply, grants
from shared.kafka.admin.topics import provision
from tests.support.kafka_world import KafkaWorld, until

AUDIENCE = "kafka"
ISSUER = "https://issuer.example.org"
KEYS = "keys.json"
LIFE_S = 300
FACTORY = "secured"
MECHANISM = "SCRAM-SHA-512"
STRANGER = "stranger"
_OAUTH = "org.apache.kafka.common.security.oauthbearer"


class Issuer:
    """Issues tokens to clients that know the password; `issued` has their subjects."""

    def __init__(self, folder: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.issued: list[str] = []
        public = self._key.public_key().public_numbers()
        number = {
            name: _encoded(value.to_bytes((value.bit_length() + 7) // 8))
            for name, value in (("n", public.n), ("e", public.e))
        }
        keys = {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "test", **number}]}
        (folder / KEYS).write_text(json.dumps(keys))
        self.keys_url = (folder / KEYS).as_uri()

    def token(self, subject: str) -> str:
        """Sign a token (RFC 7519)."""
        now = int(time.time())
        claims = {"sub": subject, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + LIFE_S, "scope": "kafka"}
        parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "test"}, claims)]
        signature = self._key.sign(".".join(parts).encode(), padding.PKCS1v15(), SHA256())
        return ".".join([*parts, _encoded(signature)])

    @asynccontextmanager
    async def serve(self, passwords: dict[str, str]) -> AsyncIterator[str]:
        """Yield the URL of the token endpoint."""

        async def issue(request: web.Request) -> web.Response:
            login, form = BasicAuth.decode(request.headers["Authorization"]), await request.post()
            if form["grant_type"] != "client_credentials" or passwords.get(login.login) != login.password:
                return web.json_response({"error": "invalid_client"}, status=401)
            self.issued.append(login.login)
            return web.json_response({"access_token": self.token(login.login), "expires_in": LIFE_S})

        app = web.Application()
        app.router.add_post("/token", issue)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/token"
        finally:
            await runner.cleanup()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class TlsKafka:
    """A factory behind TLS, passwords and ACLs."""

    folder: Path
    kafka: Kafka
    valkey: Valkey
    secure_port: int
    authority: trustme.CA
    issuer: Issuer

    @property
    def servers(self) -> str:
        return f"{LOOPBACK}:{self.secure_port}"

    @property
    def tls(self) -> Tls:
        return Tls(self.folder / "ca.pem", self.folder / "client.pem", self.folder / "client.key")

    def access(self, service: str, **changes: Any) -> KafkaAccess:
        """Return the access of a service, as its own user."""
        login = SaslCredentials(MECHANISM, user(service), SecretStr(password(service)))
        return KafkaAccess(**{"servers": self.servers, "tls": self.tls, "login": login, **changes})

    def env(self, service: str, **changes: Any) -> dict[str, Any]:
        """Return settings of the same access, with the password in a file."""
        file = self.folder / f"{service}.password"
        file.write_text(f"{password(service)}\n")
        return {
            "kafka": self.servers,
            "kafka_tls": True,
            "kafka_ca": self.tls.ca,
            "kafka_cert": self.tls.cert,
            "kafka_key": self.tls.key,
            "kafka_sasl": MECHANISM,
            "kafka_username": user(service),
            "kafka_password_file": file,
            **changes,
        }

    @asynccontextmanager
    async def world(self, folder: Path) -> AsyncIterator[KafkaWorld]:
        """Open the factory on the plaintext listener."""
        async with KafkaWorld(self.kafka.bootstrap, self.valkey.url, FACTORY, folder) as world:
            yield world


def user(service: str) -> str:
    return f"{FACTORY}.{service}"


def password(service: str) -> str:
    return f"hush-{service}"


@asynccontextmanager
async def tls_kafka(folder: Path) -> AsyncIterator[TlsKafka]:
    """Start broker and cache; create users, ACLs and, as the factory's operator, Kafka topics."""
    ports, jars = Ports({}), await download(lambda _event: None)
    port, controller, secure = (ports.take(name) for name in ("kafka", "controller", "secure"))
    authority, issuer = certificates(folder), Issuer(folder)
    extra: dict[str, str | int] = {
        "listeners": f"BROKER://{LOOPBACK}:{port},SECURE://{LOOPBACK}:{secure},CONTROLLER://{LOOPBACK}:{controller}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(folder / "server.pem"),
        "listener.name.secure.ssl.truststore.type": "PEM",
        "listener.name.secure.ssl.truststore.location": str(folder / "ca.pem"),
        "listener.name.secure.ssl.client.auth": "required",
        "listener.name.secure.sasl.enabled.mechanisms": f"{MECHANISM},OAUTHBEARER",
        f"listener.name.secure.{MECHANISM.lower()}.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.secure.oauthbearer.sasl.jaas.config": f"{_OAUTH}.OAuthBearerLoginModule required;",
        "listener.name.secure.oauthbearer.sasl.server.callback.handler.class": (
            f"{_OAUTH}.OAuthBearerValidatorCallbackHandler"
        ),
        "listener.name.secure.sasl.oauthbearer.jwks.endpoint.url": issuer.keys_url,
        "listener.name.secure.sasl.oauthbearer.expected.audience": AUDIENCE,
        "listener.name.secure.sasl.oauthbearer.expected.issuer": ISSUER,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    names = (*(service.name for service in SERVICES), OPERATOR, STRANGER)
    users = {user(name): password(name) for name in names}
    kafka = Kafka(folder / "kafka", port, controller, jars, extra, users)
    valkey = Valkey(folder / "valkey", ports.take("valkey"))
    async with serving(kafka, folder), serving(valkey, folder):
        factory = TlsKafka(folder, kafka, valkey, secure, authority, issuer)
        await apply(KafkaAccess(kafka.bootstrap), grants(FACTORY))
        await provision(factory.access(OPERATOR), FACTORY)
        yield factory


@asynccontextmanager
async def serving(server: Kafka | Valkey, folder: Path) -> AsyncIterator[None]:
    """Run a server of the local stack inside the block."""
    await server.prepare()
    log = folder / f"{server.name}.log"
    allowed = "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + (folder / KEYS).as_uri()
    command = Command(
        server.name, server.argv, {"JAVA_TOOL_OPTIONS": allowed}, log, server.folder, orphan_signal=signal.SIGTERM
    )
    child = Process(command, RestartPolicy(max_crashes=1), lambda _event: None, lambda: None, lambda _error: None)
    await child.start()
    try:
        await until(server.answers, f"{server.name} to answer; see {log}")
        yield
    finally:
        await child.stop()


@asynccontextmanager
async def tls_before(port: int, authority: trustme.CA) -> AsyncIterator[int]:
    """Terminate TLS in front of a server without TLS, such as the packaged Valkey. Yield the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(LOOPBACK).configure_cert(context)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    server = await asyncio.start_server(pass_on, LOOPBACK, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def certificates(folder: Path) -> trustme.CA:
    """Write a certificate authority, and certificates for the broker and for clients."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server, client = authority.issue_cert(LOOPBACK), authority.issue_cert("client.example")
    key = load_pem_private_key(server.private_key_pem.bytes(), None)  # Kafka reads only PKCS #8 keys
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(pkcs8 + b"".join(pem.bytes() for pem in server.cert_chain_pems))
    client.cert_chain_pems[0].write_to_path(folder / "client.pem")
    client.private_key_pem.write_to_path(folder / "client.key")
    return authority
