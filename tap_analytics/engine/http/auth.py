"""Access tokens that die and are renewed: OAuth 2 by refresh token or client credentials."""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.errors import Denied, TransientError
from tap_analytics.engine.http.answers import reason
from tap_analytics.engine.secrets import redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_analytics.engine.http.answers import Answer

FORM = "application/x-www-form-urlencoded"
_EARLY = 60.0
_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True)
class Grant:
    """How an application gets access tokens.

    Attributes:
        url: Where it asks for them, on the API's own origin.
        client_id: The application's name.
        client_secret: Its password.
        refresh_token: What renews a user's access; None for the application's own.
        settings: What a person has to look at when it is refused, as part of a sentence.
    """

    url: str
    client_id: str
    client_secret: str
    refresh_token: str | None
    settings: str


class OAuth:
    """An access token shared by all threads of a lane, renewed by one of them at a time.

    It is asked for before the first request if none is known, shortly before it expires, and
    after a request was refused with it. A refresh token that comes with a new access token is
    used from then on, as long as the process lives.
    """

    def __init__(self, grant: Grant, access_token: str | None = None) -> None:
        """Start with a token that may be good still, or with none.

        Args:
            grant: How to get another.
            access_token: The configured one.
        """
        self._grant = grant
        self._refresh_token = grant.refresh_token
        self._token = access_token
        self._expires_at: float | None = None
        self._lock = threading.Lock()

    def headers(self, send: Callable[[HTTPRequest], Answer]) -> dict[str, str]:
        """Return the header that carries a token; ask for one where none is good.

        Args:
            send: Sends one request and returns its answer.

        Raises:
            Denied: If no token is granted.
            TransientError: If there is no sound answer.
        """
        with self._lock:
            late = self._expires_at is not None and time.monotonic() > self._expires_at - _EARLY
            if self._token is None or late:
                self._renew(send)
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str], send: Callable[[HTTPRequest], Answer]) -> None:
        """Get another token, unless another thread has done so since.

        Args:
            refused: The headers that were refused.
            send: Sends one request and returns its answer.

        Raises:
            Denied: If no token is granted.
            TransientError: If there is no sound answer.
        """
        with self._lock:
            if refused.get("Authorization") == f"Bearer {self._token}":
                self._renew(send)

    def _renew(self, send: Callable[[HTTPRequest], Answer]) -> None:
        grant = self._grant
        pair = f"{grant.client_id}:{grant.client_secret}".encode()
        fields = {"grant_type": "client_credentials"}
        if self._refresh_token is not None:
            fields = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": FORM,
        }
        answer = send(HTTPRequest(url=grant.url, method="POST", data=fields, headers=headers))
        if answer.status in _REFUSALS:
            msg = f"no access token was granted{_said(answer)}: check {grant.settings}"
            raise Denied(msg)
        body = answer.json if answer.status < HTTPStatus.MULTIPLE_CHOICES else None
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(token, str) or not token:
            msg = f"asked for an access token, the API answered {answer.status} without one"
            raise TransientError(msg)
        self._take(token, body)

    def _take(self, token: str, body: dict[str, object]) -> None:
        redactor.add([token])
        self._token = token
        renewer, seconds = body.get("refresh_token"), body.get("expires_in")
        if isinstance(renewer, str) and renewer and self._refresh_token is not None:
            redactor.add([renewer])
            self._refresh_token = renewer
        lasts = float(seconds) if isinstance(seconds, (int, float)) else 0.0
        self._expires_at = time.monotonic() + lasts if lasts > 2 * _EARLY else None


def _said(answer: Answer) -> str:
    try:
        return reason(answer.json)
    except TransientError:
        return ""
