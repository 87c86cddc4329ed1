"""Bearer tokens that die, and the grant that renews them (OAuth 2)."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Grant


class GrantError(Exception):
    """The request for a token is refused; the text is the error's word."""

    def __init__(self, status: int, word: str) -> None:
        """Say with which status."""
        super().__init__(word)
        self.status = status


class Tokens:
    """The tokens of one API, each with the time of its death."""

    def __init__(
        self, grant: Grant, first: str, seconds: float, clock: Callable[[], float]
    ) -> None:
        """Begin with the token that the settings name.

        Args:
            grant: Who may renew a token, and how.
            first: The token of the settings.
            seconds: How long a token lives.
            clock: Tells the time in seconds.
        """
        self._grant = grant
        self._seconds = seconds
        self._clock = clock
        self._deaths = {first: clock() + seconds}
        self._renewers = {grant.refresh_token}

    def takes(self, authorization: str | None) -> bool:
        """Whether a header's value is that of a living token."""
        token = (authorization or "").removeprefix("Bearer ")
        return authorization == f"Bearer {token}" and self._deaths.get(token, 0) > self._clock()

    def renew(self, authorization: str | None, form: str) -> dict[str, object]:
        """Give a new token for a refresh token, and a new refresh token; older ones go on.

        Raises:
            GrantError: The application or the refresh token is unknown, or the form says no such.
        """
        grant = self._grant
        basic = b64encode(f"{grant.client_id}:{grant.client_secret}".encode()).decode()
        if authorization != f"Basic {basic}":
            raise GrantError(401, "invalid_client")
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        if fields.get("grant_type") != "refresh_token":
            raise GrantError(400, "unsupported_grant_type")
        if fields.get("refresh_token") not in self._renewers:
            raise GrantError(400, "invalid_grant")
        token, renewer = secrets.token_hex(16), secrets.token_hex(16)
        self._deaths[token] = self._clock() + self._seconds
        self._renewers.add(renewer)
        return {
            "expires_in": int(self._seconds),
            "token_type": "bearer",
            "access_token": token,
            "refresh_token": renewer,
            "scope": "*",
        }
