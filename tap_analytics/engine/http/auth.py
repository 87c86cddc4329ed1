"""What tells an API who asks: authenticators of the SDK, and such as renew what dies."""

from __future__ import annotations

import base64
import threading
import time
from abc import abstractmethod
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from singer_sdk.authenticators import APIAuthenticatorBase, APIKeyAuthenticator
from singer_sdk.streams.rest import HTTPRequest
from typing_extensions import override

from tap_analytics.engine.errors import Denied, TransientError
from tap_analytics.engine.http.answers import THROTTLED, Answer, judge, reason_of
from tap_analytics.engine.secrets import redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    Send = Callable[[HTTPRequest, Callable[[Answer], Any]], Any]
    """Sends a request as it is, within the API's budget, and returns what is read from the answer.

    What reading raises is what it raises.
    """
    Authenticator = Callable[[requests.PreparedRequest], requests.PreparedRequest]
    """Adds to a request what tells who asks; called on any thread."""

FORM = "application/x-www-form-urlencoded"
_EARLY = 60.0
_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class HeaderAuthenticator(APIKeyAuthenticator):
    """A header that stays as it is: a key, a Basic pair, a bearer token."""

    def __init__(self, name: str, value: str) -> None:
        """Take the header's name and its whole value."""
        super().__init__(key=name, value=value)

    @override
    def authenticate_request(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header; the URL stays as it is, which the SDK would write anew."""
        request.headers.update(self.auth_headers)
        return request


class RenewableAuthenticator(APIAuthenticatorBase):
    """Credentials that die, and are renewed before or after the API refused them."""

    @abstractmethod
    def prepare(self, send: Send) -> None:
        """Make sure that there are credentials which are good as far as one can know.

        Raises:
            ReadError: If there are none to be had.
        """

    @abstractmethod
    def renew(self, refused: requests.PreparedRequest, send: Send) -> None:
        """Get others, unless another thread has done so since.

        Args:
            refused: The request that was refused.
            send: Sends a request.

        Raises:
            ReadError: If there are none to be had.
        """


class Grant(Struct, frozen=True):
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


class OAuth(RenewableAuthenticator):
    """An access token shared by all threads, renewed by one of them at a time (OAuth 2).

    It is asked for before the first request if none is known, shortly before it expires, and
    after a request was refused with it. A refresh token that comes with a new access token is
    used from then on, as long as the process lives: `shared` finds the same one again.
    """

    _known: dict[tuple[Grant, str | None], OAuth] = {}  # noqa: RUF012

    def __init__(self, grant: Grant, access_token: str | None = None) -> None:
        """Start with a token that may be good still, or with none.

        Args:
            grant: How to get another.
            access_token: The configured one.
        """
        super().__init__()
        self._grant = grant
        self._refresh_token = grant.refresh_token
        self._token = access_token
        self._expires_at: float | None = None
        self._refused: str | None = None
        self._lock = threading.Lock()

    @classmethod
    def shared(cls, grant: Grant, access_token: str | None = None) -> OAuth:
        """Return the one of this process; all streams of an account have the same tokens."""
        return cls._known.setdefault((grant, access_token), cls(grant, access_token))

    @override
    def authenticate_request(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header that carries the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    @override
    def prepare(self, send: Send) -> None:
        with self._lock:
            late = self._expires_at is not None and time.monotonic() > self._expires_at - _EARLY
            if self._token is None or late:
                self._renew(send)

    @override
    def renew(self, refused: requests.PreparedRequest, send: Send) -> None:
        with self._lock:
            if refused.headers.get("Authorization") == f"Bearer {self._token}":
                self._renew(send)

    def _renew(self, send: Send) -> None:
        if self._refused is not None:
            raise Denied(self._refused)
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
        request = HTTPRequest(url=grant.url, method="POST", data=fields, headers=headers)
        self._take(*send(request, self._granted))

    def _granted(self, answer: Answer) -> tuple[str, dict[str, Any]]:
        """Return the token in an answer, and all of its body."""
        if answer.status_code in _REFUSALS:
            settings = self._grant.settings
            self._refused = f"no access token was granted{reason_of(answer)}: check {settings}"
            raise Denied(self._refused)
        judge(answer, THROTTLED)
        body = answer.json()
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(token, str) or not token:
            msg = f"asked for an access token, the API answered {answer.status_code} without one"
            raise TransientError(msg)
        return token, body

    def _take(self, token: str, body: dict[str, Any]) -> None:
        redactor.add([token])
        self._token = token
        renewer, seconds = body.get("refresh_token"), body.get("expires_in")
        if isinstance(renewer, str) and renewer and self._refresh_token is not None:
            redactor.add([renewer])
            self._refresh_token = renewer
        lasts = float(seconds) if isinstance(seconds, (int, float)) else 0.0
        self._expires_at = time.monotonic() + lasts if lasts > 2 * _EARLY else None
