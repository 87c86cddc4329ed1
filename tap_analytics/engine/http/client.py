"""The one way to an API: every request of a run passes through its client."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from tap_analytics.engine.errors import ReadError, TransientError
from tap_analytics.engine.http.answers import THROTTLED, Answer, has_expired, judge
from tap_analytics.engine.http.auth import FORM
from tap_analytics.engine.http.budget import RETRY, Outcome, utc_in
from tap_analytics.engine.http.connection import DeadlineAdapter, Watchdog
from tap_analytics.engine.http.quota import announced, told
from tap_analytics.engine.http.space import Space
from tap_analytics.engine.http.trouble import TROUBLE, in_words, is_timeout, plain_cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.streams.rest import HTTPRequest

    from tap_analytics.engine.http.auth import OAuth
    from tap_analytics.engine.http.budget import Budget
    from tap_analytics.engine.http.connection import Attempt
    from tap_analytics.engine.http.policy import RetryPolicy
    from tap_analytics.engine.output.report import Tally

_logger = logging.getLogger("tap-analytics")
_MOST_REDIRECTS = 3
_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How long to wait for an API.

    Attributes:
        timeout: Seconds for a whole attempt.
        max_wait: Seconds up to which a server that says "later" is obeyed.
        policy: The retries of everything else.
    """

    timeout: float
    max_wait: float
    policy: RetryPolicy


def _status(failure: TransientError) -> str:
    """Return the shortest that says why, such as "429"."""
    return str(failure).partition(":")[0].removeprefix("answered ")


class Client:
    """Sends requests to one API within its budget, and tries again within its policy."""

    def __init__(
        self,
        origin: str,
        budget: Budget,
        patience: Patience,
        connections: int,
        auth: OAuth | None = None,
    ) -> None:
        """Open a session; nothing is sent yet.

        Args:
            origin: Scheme and host of all requests.
            budget: Grants each request.
            patience: Time limits and retries.
            connections: Connections to keep open.
            auth: Renews the token of requests that carry one which dies.
        """
        self.budget = budget
        self._patience = patience
        self._auth = auth
        self._stopped = threading.Event()
        self._watchdog = Watchdog()
        self._said: set[str] = set()
        session = requests.Session()
        self._send_options: dict[str, Any] = dict(
            session.merge_environment_settings(origin, {}, None, None, None)
        )
        self._send_options["stream"] = True
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=connections)

    def fetch(self, request: HTTPRequest, read: Callable[[Answer], _T], tally: Tally) -> _T:
        """Ask until there is a sound answer, and return what is read from it.

        Requests with a body pass here like all others, retries included: all are reads.

        Args:
            request: The request.
            read: Turns a good answer into the result; what it raises as `TransientError`,
                as a body that is not JSON does, is retried like any other failure.
            tally: Counts requests, retries and waiting.

        Raises:
            ReadError: If there is no sound answer within the policy.
        """
        retry = 0
        waited = 0.0
        while True:
            try:
                return self._attempt(request, read, tally)
            except TransientError as failure:
                if failure.wait:
                    waited += failure.wait
                    self._check_wait(failure, waited, tally)
                else:
                    self._back_off(failure, retry, tally)
                    retry += 1
                tally.retry()

    def _check_wait(self, failure: TransientError, waited: float, tally: Tally) -> None:
        """Make sure that a request was not told to wait too long; the budget makes it wait.

        Raises:
            ReadError: If it was, which ends its stream.
        """
        if waited > self._patience.max_wait:
            when = utc_in(failure.wait or 0.0)
            msg = f"{failure}; it asks to wait until {when}, longer than max_wait allows"
            self.budget.end(tally.stream, msg)
            raise ReadError(msg) from None

    def _back_off(self, failure: TransientError, retry: int, tally: Tally) -> None:
        """Wait before a retry, or let the budget make the whole stream wait.

        Raises:
            ReadError: If there is none left.
        """
        policy = self._patience.policy
        if retry >= policy.max_retries:
            msg = f"{failure} (attempt {retry + 1}, the last)"
            if failure.throttled and self.budget.is_refused(tally.stream, policy.max_retries):
                self.budget.end(tally.stream, msg)
            raise ReadError(msg) from None
        if not failure.throttled and not self.budget.may_retry():
            msg = f"{failure} (not tried again, for too many requests failed)"
            raise ReadError(msg) from None
        wait = policy.wait(retry, throttled=failure.throttled)
        if failure.throttled:
            self.budget.back_off(tally.stream, wait, _status(failure))
            return
        with tally.waiting(RETRY, time.monotonic() + wait):
            self._stopped.wait(wait)

    def _attempt(self, request: HTTPRequest, read: Callable[[Answer], _T], tally: Tally) -> _T:
        leave = self.budget.acquire(tally, self._patience.max_wait)
        outcome = Outcome()
        try:
            if self._stopped.is_set():
                msg = "the run has ended"
                raise ReadError(msg)
            tally.request()
            asked_at = time.monotonic()
            with Space() as space:
                answer = self._authorized(request, space)
                answer.asked_at = asked_at
                tally.answered(len(answer.body), time.monotonic() - asked_at)
                outcome.limits = announced(
                    answer.headers, answer.served_at, refused=answer.status in THROTTLED
                )
                judge(answer, self._patience.policy)
                result = read(answer)
            outcome.is_good = True
        except TransientError as failure:
            if failure.throttled and failure.wait is None:
                failure.wait = told(outcome.limits)
            outcome.is_throttled, outcome.why = failure.throttled, _status(failure)
            if failure.wait and failure.wait <= self._patience.max_wait:
                outcome.told = failure.wait
            raise
        finally:
            self.budget.release(leave, outcome)
        return result

    def _authorized(self, request: HTTPRequest, space: Space) -> Answer:
        """Send a request with a good token; one that is refused is renewed once."""
        auth = self._auth
        if auth is None or "Authorization" in request.headers:
            return self._answer(request, space)

        def send(asked: HTTPRequest) -> Answer:
            return self._answer(asked, space)

        used = auth.headers(send)
        answer = send(replace(request, headers={**request.headers, **used}))
        if answer.status == HTTPStatus.UNAUTHORIZED or has_expired(answer):
            auth.renew(used, send)
            answer = send(replace(request, headers={**request.headers, **auth.headers(send)}))
        return answer

    def _answer(self, request: HTTPRequest, space: Space) -> Answer:
        with self._watchdog.limit(self._patience.timeout) as attempt:
            try:
                answer = self._follow(request, attempt, space)
            except TROUBLE as error:
                raise TransientError(self._explain(error, attempt, request.url)) from None
        if attempt.expired:  # an answer that ends with its connection looks whole
            raise TransientError(self._too_late)
        return answer

    def _explain(self, error: Exception, attempt: Attempt, url: str) -> str:
        cause = plain_cause(error, urlsplit(url).hostname or "", is_late=attempt.expired)
        if cause is None:
            late = attempt.expired or is_timeout(error)
            return self._too_late if late else f"no answer ({in_words(error)})"
        if cause not in self._said:  # once, and not for each of many streams
            self._said.add(cause)
            _logger.warning("%s", cause)
        return cause

    @property
    def _too_late(self) -> str:
        return f"no complete answer within {self._patience.timeout:g} s"

    def _follow(self, request: HTTPRequest, attempt: Attempt, space: Space) -> Answer:
        query = request.encode_params()
        url = f"{request.url}?{query}" if query else request.url
        for _ in range(_MOST_REDIRECTS):
            answer = self._send(request, url, attempt, space)
            location = answer.headers.get("Location")
            if not (300 <= answer.status < 400 and location):  # noqa: PLR2004
                return answer
            target = urljoin(url, location)
            here, there = urlsplit(url), urlsplit(target)
            if (here.scheme, here.netloc) != (there.scheme, there.netloc):
                msg = f"redirected to another host ({there.hostname}), which never gets our key"
                raise ReadError(msg)
            url = target
        msg = f"redirected more than {_MOST_REDIRECTS} times"
        raise ReadError(msg)

    def _send(self, request: HTTPRequest, url: str, attempt: Attempt, space: Space) -> Answer:
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = url  # as built: preparing it would decode and resolve path segments
        prepared.headers = CaseInsensitiveDict(request.headers)
        if prepared.headers.get("Content-Type") == FORM:
            prepared.prepare_body(request.data, None)
        elif request.data is not None:
            prepared.prepare_body(None, None, json=request.data)
        response = self._adapter.send(
            prepared, timeout=self._patience.timeout, **self._send_options
        )
        with response:
            body = space.read(response.raw, attempt)
        return Answer(response.status_code, response.headers, body)

    def close(self) -> None:
        """Let waiting threads go, refuse further requests, and close idle connections."""
        self._stopped.set()
        self.budget.close()
        self._watchdog.close()
        self._adapter.close()
