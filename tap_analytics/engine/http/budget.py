"""One budget of requests per API: when each may be sent, and how many are tried again."""

from __future__ import annotations

import logging
import math
import threading
import time
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.http.pace import Pace
from tap_analytics.engine.http.quota import Quota
from tap_analytics.engine.http.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_analytics.engine.http.quota import Announcement
    from tap_analytics.engine.output.report import Tally

TOLD, RATE, RETRY = "told", "rate", "retry"
"""Causes of waiting: the server said so; a limit, declared, announced or learned; our policy."""

_logger = logging.getLogger("tap-analytics")
_LONG_WAIT = 10.0
_WORDS = {TOLD: "told to wait {} s", RATE: "waiting {} s for its rate", RETRY: "retrying in {} s"}
_RETRY_SHARE = 0.13
_RETRIES_AT_FIRST = 20.0
_RETRIES_AT_MOST = 100.0


class Allowance:
    """Retries of failures: a few, and a share of the good answers."""

    def __init__(self) -> None:
        """Start with a few."""
        self._retries = _RETRIES_AT_FIRST

    def earn(self) -> None:
        """Take in a good answer."""
        self._retries = min(self._retries + _RETRY_SHARE, _RETRIES_AT_MOST)

    def take(self) -> bool:
        """Take a retry, if there is one."""
        if self._retries < 1:
            return False
        self._retries -= 1
        return True


class Wait(NamedTuple):
    """Why a request may not be sent yet.

    Attributes:
        until: Monotonic time from which it may.
        cause: One of `TOLD`, `RATE`, `RETRY`.
        who: Whose wait it is: the API's, or a stream's.
        why: What was answered, if anything.
    """

    until: float
    cause: str
    who: str
    why: str = ""


class Endpoint(Struct):
    """What the answers to one stream's requests have shown.

    Attributes:
        name: The stream.
        refusals: Unexplained refusals since its last good answer.
        wait: Its own wait before its next request.
        limits: Names of the announced limits that its answers spoke of.
        ended: Why nothing is asked for it any more, if so.
    """

    name: str
    refusals: int = 0
    wait: Wait | None = None
    limits: tuple[str, ...] | None = None
    ended: str | None = None


class Leave(Struct, frozen=True):
    """The right to send one request, to be handed back with `Budget.release`.

    Attributes:
        at: The monotonic time it was given.
        endpoint: What the request is about.
    """

    at: float
    endpoint: Endpoint


class Outcome(Struct):
    """What became of a request.

    Attributes:
        is_good: Whether the answer was sound.
        is_throttled: Whether the server asked to slow down.
        told: Seconds that it told to wait, for everybody.
        why: What it answered, in a word.
        limits: What it announces.
    """

    is_good: bool = False
    is_throttled: bool = False
    told: float | None = None
    why: str = ""
    limits: Sequence[Announcement] = ()


def utc_in(seconds: float) -> str:
    """Return the time so many seconds from now, for people."""
    try:
        then = datetime.now(timezone.utc) + timedelta(seconds=math.ceil(seconds))
    except (OverflowError, ValueError):
        return "a time beyond all calendars"
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


class Budget:
    """Grants requests to the threads of one API.

    A request waits for the declared windows, the announced limits, the learned pace, and for
    pauses: one that the server asked for is everybody's; after a refusal that does not say how
    long, the refused stream waits alone, unless nothing of others gets through either.
    """

    def __init__(
        self,
        windows: Iterable[tuple[int, float]],
        concurrency: int,
        name: str = "API",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with the declared limits.

        Args:
            windows: Pairs of (requests, seconds): so many in any such time.
            concurrency: Requests in flight at most.
            name: Name of the API, for messages.
            clock: Tells the monotonic time.
        """
        self._name = name
        self._clock = clock
        self._windows = Windows(windows)
        self._pace = Pace(concurrency)
        self._allowance = Allowance()
        self._quotas: dict[str, Quota] = {}
        self._limits: tuple[str, ...] = ()
        self._endpoints: dict[str, Endpoint] = {}
        self._refused: set[str] = set()
        self._pause: Wait | None = None
        self._cond = threading.Condition()
        self._in_flight = 0
        self._tickets = count()
        self._queue: dict[int, Endpoint] = {}
        self._announced: dict[str, float] = {}
        self._closed = False

    def acquire(self, tally: Tally, max_wait: float = math.inf) -> Leave:
        """Wait for leave to send a request.

        Args:
            tally: Of the stream that asks; its waits are counted there.
            max_wait: Seconds that a wait for the server or a rate may take.

        Raises:
            ReadError: If it would take longer, or nothing more is asked for this stream.
        """
        with self._cond:
            endpoint = self._endpoint(tally.stream)
            ticket = next(self._tickets)
            self._queue[ticket] = endpoint
            try:
                while not self._closed:
                    if endpoint.ended:
                        raise ReadError(endpoint.ended)
                    now = self._clock()
                    wait = self._wait(endpoint, now)
                    has_room = self._has_room(endpoint, now)
                    if wait is None and has_room and self._is_next(ticket, now):
                        self._use(endpoint, now)
                        break
                    self._stand_by(wait, now, tally, max_wait)
            finally:
                del self._queue[ticket]
                self._cond.notify_all()
            self._in_flight += 1
            return Leave(self._clock(), endpoint)

    def _endpoint(self, stream: str) -> Endpoint:
        return self._endpoints.setdefault(stream, Endpoint(stream))

    def _wait(self, endpoint: Endpoint, now: float) -> Wait | None:
        """Return the longest wait of a request, if there is any."""
        rates = [self._windows.free_at(), self._pace.free_at()]
        rates += [quota.free_at(now) for quota in self._quotas_of(endpoint)]
        rate = max(rates)
        waits = [wait for wait in (self._pause, endpoint.wait) if wait and wait.until > now]
        if rate > now:
            waits.append(Wait(rate, RATE, self._name))
        return max(waits, default=None)

    def _quotas_of(self, endpoint: Endpoint) -> list[Quota]:
        names = self._limits if endpoint.limits is None else endpoint.limits
        return [self._quotas[name] for name in names]

    def _has_room(self, endpoint: Endpoint, now: float) -> bool:
        return self._in_flight < self._pace.in_flight and all(
            quota.has_room(self._in_flight, now) for quota in self._quotas_of(endpoint)
        )

    def _is_next(self, ticket: int, now: float) -> bool:
        """Tell whether nobody waits longer who could go."""
        for other, endpoint in self._queue.items():
            if other == ticket:
                break
            if self._wait(endpoint, now) is None and self._has_room(endpoint, now):
                return False
        return True

    def _use(self, endpoint: Endpoint, now: float) -> None:
        self._windows.use(now)
        self._pace.use(now)
        for who in (self._name, endpoint.name) if self._announced else ():
            if self._announced.get(who, math.inf) <= now:
                del self._announced[who]
                _logger.info("%s: going on", who)

    def _stand_by(self, wait: Wait | None, now: float, tally: Tally, max_wait: float) -> None:
        if wait is None:  # answers make room
            self._cond.wait()
            return
        seconds = wait.until - now
        if seconds > max_wait and wait.cause != RETRY:
            msg = f"its limit is spent until {utc_in(seconds)}, longer than max_wait allows"
            raise ReadError(msg)
        if seconds >= _LONG_WAIT and wait.until >= self._announced.get(wait.who, 0) + _LONG_WAIT:
            self._announced[wait.who] = wait.until
            why = f" ({wait.why})" if wait.why else ""
            words = _WORDS[wait.cause].format(math.ceil(seconds))
            _logger.info("%s: %s%s", wait.who, words, why)
        with tally.waiting(wait.cause, wait.until, self._clock):
            self._cond.wait(seconds)

    def release(self, leave: Leave, outcome: Outcome) -> None:
        """Give a leave back after the answer."""
        with self._cond:
            now = self._clock()
            endpoint = leave.endpoint
            self._in_flight -= 1
            self._take(outcome.limits, leave, now)
            if outcome.is_throttled:
                endpoint.refusals += 1
                if endpoint.refusals == 1:  # one that is always refused teaches nothing
                    self._pace.refused(leave.at, now)
            if outcome.told:
                self._pace.forget(now)
                self._stop_all(Wait(now + outcome.told, TOLD, self._name, outcome.why))
            if outcome.is_good:
                endpoint.refusals = 0
                self._refused.clear()
                self._allowance.earn()
                self._pace.succeeded(leave.at, now)
            self._cond.notify_all()

    def _take(self, limits: Sequence[Announcement], leave: Leave, now: float) -> None:
        endpoint = leave.endpoint
        if not limits:
            for quota in self._quotas_of(endpoint):
                quota.missed()
            return
        for said in limits:
            self._quotas.setdefault(said.name, Quota()).take(said, leave.at, now)
        endpoint.limits = self._limits = tuple({said.name for said in limits})

    def _stop_all(self, wait: Wait) -> None:
        self._pause = max(filter(None, (self._pause, wait)))

    def back_off(self, stream: str, seconds: float, why: str) -> None:
        """Let a refused stream wait before its next request.

        Where other streams were refused, too, and none got through, the API itself is what
        refuses, and everybody waits.
        """
        with self._cond:
            until = self._clock() + seconds
            endpoint = self._endpoint(stream)
            own = Wait(until, RETRY, stream, why)
            endpoint.wait = max(filter(None, (endpoint.wait, own)))
            self._refused.add(stream)
            if len(self._refused) > 1:
                self._stop_all(Wait(until, RETRY, self._name, why))

    def end(self, stream: str, why: str) -> None:
        """Let nothing more be asked for a stream."""
        with self._cond:
            self._endpoint(stream).ended = why
            self._cond.notify_all()

    def is_refused(self, stream: str, times: int) -> bool:
        """Tell whether a stream was refused more than so often since its last good answer."""
        with self._cond:
            return self._endpoint(stream).refusals > times

    def may_retry(self) -> bool:
        """Take one retry from the allowance, which grows by a share of the good answers."""
        with self._cond:
            return self._allowance.take()

    def close(self) -> None:
        """Let every waiting thread go, for the run has ended."""
        with self._cond:
            self._closed = True
            self._cond.notify_all()
