"""Tokens for SASL OAUTHBEARER: from an issuer by client credentials (RFC 6749, 4.4), or from a file.

Of a library: aiokafka sends the token; httpx requests it of the issuer.
"""

import time

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from shared.config.connections import SaslCredentials

TIMEOUT_S = 15.0
RENEW_AT = 0.8
"""Share of a token's life after which another one is requested."""
UNKNOWN_LIFE_S = 60.0


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """Returns a token that is valid; one per client of Kafka."""

    def __init__(self, login: SaslCredentials) -> None:
        self._login = login
        self._token, self._renew_at = "", 0.0

    async def token(self) -> str:
        """Read or request a token. Raises SaslAuthenticationFailed when there is none, KafkaConnectionError."""
        if self._login.token_file:
            return self._from_file()
        if time.monotonic() >= self._renew_at:
            requested_at = time.monotonic()
            self._token, life_s = await self._request()
            self._renew_at = requested_at + RENEW_AT * life_s
        return self._token

    def _from_file(self) -> str:
        try:
            if text := self._login.token_file.read_text("ascii").strip():  # type: ignore[union-attr]
                return text
        except (OSError, UnicodeDecodeError) as error:
            raise SaslAuthenticationFailed(f"no token in {self._login.token_file}: {type(error).__name__}") from error
        raise SaslAuthenticationFailed(f"no token in {self._login.token_file}")

    async def _request(self) -> tuple[str, float]:
        login, form = self._login, {"grant_type": "client_credentials"}
        if login.token_scope:
            form["scope"] = login.token_scope
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                credentials = (login.username, login.password.get_secret_value())
                response = await client.post(str(login.token_url), data=form, auth=credentials)
        except httpx.HTTPError as error:
            raise KafkaConnectionError(f"{login.token_url}: {type(error).__name__}: {error}") from error
        if response.is_server_error:
            raise KafkaConnectionError(f"{login.token_url} answers {response.status_code}")
        try:
            found = response.json()
            return str(found["access_token"]), float(found.get("expires_in") or UNKNOWN_LIFE_S)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SaslAuthenticationFailed(f"{login.token_url} gives no token: {response.status_code}") from None
