"""One attempt: a request goes out, its answer comes whole, or there is a plain reason why not."""

from __future__ import annotations

import logging
import re
import threading
import time
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import urldefragauth
from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.errors import Denied, ReadError, TransientError
from tap_analytics.engine.http.answers import Answer
from tap_analytics.engine.http.auth import FORM
from tap_analytics.engine.http.connection import WATCHDOG, DeadlineAdapter
from tap_analytics.engine.http.trouble import TROUBLE, in_words, is_timeout, plain_cause

if TYPE_CHECKING:
    from tap_analytics.engine.http.auth import Authenticator
    from tap_analytics.engine.http.connection import Attempt, Route
    from tap_analytics.engine.http.space import Space

_logger = logging.getLogger("tap-analytics")
_MOST_REDIRECTS = 3
_PLAIN = (str, int)
_USUAL_URL = re.compile(r"https?://[a-z0-9.:-]+(/[!$->@-~]*(?:\?[!$->@-~]+)?)")


def _too_late(attempt: Attempt) -> TransientError:
    return TransientError(f"no complete answer within {attempt.seconds:g} s", is_late=True)


@lru_cache(maxsize=1024, typed=True)  # names that are equal may be other texts
def _encoded(name: str, value: str | int, safe: str) -> str:
    return HTTPRequest("", params={name: value}, safe_query_chars=safe).encode_params()


def _query(request: HTTPRequest) -> str:
    """Return the encoded parameters, most of which are those of many requests."""
    params: Any = request.params  # overrides may say it all in a text
    if type(request) is not HTTPRequest or type(params) is not dict:
        return request.encode_params()
    if any(type(value) not in _PLAIN for value in params.values()):
        return request.encode_params()
    return "&".join([_encoded(*pair, request.safe_query_chars) for pair in params.items()])


def _target(prepared: requests.PreparedRequest) -> str:
    """Return path and query, which `requests` finds by taking the URL apart."""
    found = _USUAL_URL.fullmatch(prepared.url or "")
    return found[1] if found else prepared.path_url


class Sender:
    """Sends requests to one origin, each within a time limit, and leads no key astray."""

    def __init__(self, origin: str, connections: int) -> None:
        """Open a session; nothing is sent yet.

        Args:
            origin: Scheme and host of all requests.
            connections: Connections to keep open.
        """
        WATCHDOG.open()
        self._is_closed = False
        self._said: set[str] = set()
        self._authenticating = threading.Lock()
        session = requests.Session()
        self._options: dict[str, Any] = dict(
            session.merge_environment_settings(origin, {}, None, None, None)
        )
        del self._options["stream"]
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=connections)
        self._route: Route | None = None

    def send(
        self, request: HTTPRequest, auth: Authenticator | None, space: Space, timeout: float
    ) -> Answer:
        """Send a request and return its answer, whatever its status.

        Args:
            request: The request.
            auth: Adds the credentials, if it takes any.
            space: Where the answer's body has room.
            timeout: Seconds for the whole attempt.

        Raises:
            TransientError: If there is no whole answer in time.
            ReadError: If it leads elsewhere, or is too large.
        """
        with WATCHDOG.limit(timeout) as attempt:
            try:
                return self._follow(request, auth, attempt, space)
            except TROUBLE as error:
                raise self._explained(error, attempt, request.url) from None

    def _explained(self, error: Exception, attempt: Attempt, url: str) -> TransientError:
        cause = plain_cause(error, urlsplit(url).hostname or "", is_late=attempt.expired)
        if cause is None:
            if attempt.expired or is_timeout(error):
                return _too_late(attempt)
            return TransientError(f"no answer ({in_words(error)})")
        if cause not in self._said:  # once, and not for each of many streams
            self._said.add(cause)
            _logger.warning("%s", cause)
        return TransientError(cause)

    def _follow(
        self, request: HTTPRequest, auth: Authenticator | None, attempt: Attempt, space: Space
    ) -> Answer:
        query = _query(request)
        url = f"{request.url}?{query}" if query else request.url
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._send(self._prepared(request, url, auth), attempt, space)
            if attempt.expired:  # an answer that ends with its connection looks whole
                raise _too_late(attempt)
            location = answer.headers.get("Location")
            if not (300 <= answer.status_code < 400 and location):  # noqa: PLR2004
                return answer
            target = urljoin(url, location)
            here, there = urlsplit(url), urlsplit(target)
            if (here.scheme, here.netloc) != (there.scheme, there.netloc):
                msg = f"redirected to another host ({there.hostname}), which never gets our key"
                raise ReadError(msg)
            url = target
        msg = f"redirected more than {_MOST_REDIRECTS} times"
        raise ReadError(msg)

    def _prepared(
        self, request: HTTPRequest, url: str, auth: Authenticator | None
    ) -> requests.PreparedRequest:
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = url  # as built: preparing it would decode and resolve path segments
        prepared.headers = CaseInsensitiveDict(request.headers)
        if prepared.headers.get("Content-Type") == FORM or isinstance(request.data, str | bytes):
            prepared.prepare_body(request.data, None)
        elif request.data is not None:
            prepared.prepare_body(None, None, json=request.data)
        if auth is None:
            return prepared
        try:
            with self._authenticating:  # the SDK's know nothing of threads
                return auth(prepared)
        except RuntimeError as error:  # what the SDK's raise
            raise Denied(str(error)) from None

    def _send(self, prepared: requests.PreparedRequest, attempt: Attempt, space: Space) -> Answer:
        asked_at = time.monotonic()
        url, body = prepared.url or "", prepared.body
        route = self._route = self._route or self._adapter.route(url, **self._options)
        response = route.pool.urlopen(
            prepared.method or "GET",
            urldefragauth(url) if route.is_by_proxy else _target(prepared),
            body,
            dict(prepared.headers),
            self._adapter.max_retries,
            redirect=False,
            assert_same_host=False,
            timeout=None,  # but that of the attempt
            chunked=not (body is None or "Content-Length" in prepared.headers),
            preload_content=False,
            decode_content=False,
        )
        try:
            content = space.read(response, attempt)
        finally:
            response.close()
            response.release_conn()
        answer = Answer(response.status, response.headers, content, asked_at)
        answer.url, answer.reason, answer.request = url, response.reason or "", prepared
        answer.elapsed = timedelta(seconds=time.monotonic() - asked_at)
        return answer

    def close(self) -> None:
        """Close idle connections; an attempt under way ends with its own time limit."""
        if not self._is_closed:
            self._is_closed = True
            WATCHDOG.close()
        self.rest()

    def rest(self) -> None:
        """Close idle connections; the next request opens another."""
        route, self._route = self._route, None
        if route is not None:
            route.pool.close()
        self._adapter.close()
