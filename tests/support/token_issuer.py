"""An issuer of tokens for OAUTHBEARER: client credentials in, a signed token out; the broker reads its public key."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

AUDIENCE = "kafka"
ISSUER = "https://issuer.example.org"
KEYS = "keys.json"
LIFE_S = 300


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
