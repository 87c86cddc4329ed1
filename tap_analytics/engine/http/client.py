"""The one way to an API: every request of a run passes through its client."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_analytics.engine.errors import ReadError, TooSlow, TransientError
from tap_analytics.engine.http.answers import THROTTLED, is_refused, judge, translated
from tap_analytics.engine.http.auth import RenewableAuthenticator
from tap_analytics.engine.http.budget import RETRY, Outcome, utc_in
from tap_analytics.engine.http.quota import announced, told
from tap_analytics.engine.http.sender import Sender
from tap_analytics.engine.http.space import Space

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from singer_sdk.streams.rest import HTTPRequest

    from tap_analytics.engine.http.answers import Answer
    from tap_analytics.engine.http.auth import Authenticator
    from tap_analytics.engine.http.budget import Budget
    from tap_analytics.engine.http.policy import RetryPolicy
    from tap_analytics.engine.output.report import Tally

_T = TypeVar("_T")


class Patience(Struct, frozen=True):
    """How long to wait for an API.

    Attributes:
        timeout: Seconds for a whole attempt.
        max_wait: Seconds up to which a server that says "later" is obeyed.
        policy: The retries of everything else.
    """

    timeout: float
    max_wait: float
    policy: RetryPolicy


class Slow(NamedTuple):
    """How slow a request may be.

    Attributes:
        times: How many times as long as others an attempt may take.
        may_be_split: Whether less can be asked for, so that one late answer is enough.
    """

    times: float = 1.0
    may_be_split: bool = False


class Terms(Struct, frozen=True):
    """How one request is sent; as `Client.fetch` takes it."""

    tally: Tally
    auth: Authenticator | None
    validate: Callable[[Answer], None] | None
    slow: Slow = Slow()


class _TokenRefused(Exception):
    """The API takes the token no more that a request was sent with."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        self.request = request


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
    ) -> None:
        """Open a session; nothing is sent yet.

        Args:
            origin: Scheme and host of all requests.
            budget: Grants each request.
            patience: Time limits and retries.
            connections: Connections to keep open.
        """
        self.budget = budget
        self._patience = patience
        self._stopped = threading.Event()
        self._sender = Sender(origin, connections)

    def fetch(  # noqa: PLR0913 - what is asked, and all that holds for it
        self,
        request: HTTPRequest,
        read: Callable[[Answer], _T],
        tally: Tally,
        *,
        auth: Authenticator | None = None,
        validate: Callable[[Answer], None] | None = None,
        slow: Slow = Slow(),  # noqa: B008 - it never changes
    ) -> _T:
        """Ask until there is a sound answer, and return what is read from it.

        Requests with a body pass here like all others, retries included: all are reads.

        Args:
            request: The request.
            read: Turns a good answer into the result; what it raises as `TransientError`,
                as a body that is not JSON does, is retried like any other failure.
            tally: Counts requests, retries and waiting.
            auth: Adds the credentials.
            validate: Raises unless an answer is good; `judge` is the usual way.
            slow: How slow it may be.

        Raises:
            ReadError: If there is no sound answer within the policy.
            TooSlow: If there is none in time, and less can be asked for.
        """
        terms = Terms(tally, auth, validate, slow)
        retry = 0
        waited = 0.0
        while True:
            try:
                return self._attempt(request, terms, read)
            except TransientError as failure:
                if failure.is_late and slow.may_be_split:
                    raise TooSlow(str(failure)) from None
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

    def _attempt(self, request: HTTPRequest, terms: Terms, read: Callable[[Answer], _T]) -> _T:
        """Send a request, with a token that was renewed if it is refused with the first."""
        auth = terms.auth
        if not isinstance(auth, RenewableAuthenticator):
            return self._exchange(request, terms, read)
        free = replace(terms, auth=None, validate=lambda _: None)

        def send(asked: HTTPRequest, granted: Callable[[Answer], Any]) -> Any:
            return self._exchange(asked, free, granted)

        auth.prepare(send)
        try:
            return self._exchange(request, terms, read, is_first=True)
        except _TokenRefused as refusal:
            auth.renew(refusal.request, send)
        return self._exchange(request, terms, read)

    def _exchange(
        self,
        request: HTTPRequest,
        terms: Terms,
        read: Callable[[Answer], _T],
        *,
        is_first: bool = False,
    ) -> _T:
        tally = terms.tally
        leave = self.budget.acquire(tally, self._patience.max_wait)
        outcome = Outcome()
        try:
            if self._stopped.is_set():
                msg = "the run has ended"
                raise ReadError(msg)
            tally.request()
            with Space() as space:
                timeout = self._patience.timeout * terms.slow.times
                answer = self._sender.send(request, terms.auth, space, timeout)
                tally.answered(len(answer.content), answer.elapsed.total_seconds())
                outcome.limits = announced(
                    answer.headers, answer.served_at, refused=answer.status_code in THROTTLED
                )
                if is_first and is_refused(answer):
                    raise _TokenRefused(answer.request)
                try:
                    self._validate(answer, terms)
                    result = read(answer)
                except (FatalAPIError, RetriableAPIError) as error:
                    raise translated(error, answer) from None
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

    def _validate(self, answer: Answer, terms: Terms) -> None:
        if terms.validate is None:
            judge(answer, self._patience.policy.statuses)
        else:
            terms.validate(answer)

    def rest(self) -> None:
        """Close idle connections, while nobody asks for anything."""
        self._sender.rest()

    def close(self) -> None:
        """Let waiting threads go, refuse further requests, and close idle connections."""
        self._stopped.set()
        self.budget.close()
        self._sender.close()
