"""One budget of requests per API: the allowed rate, shared pauses, and limits learned."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_logger = logging.getLogger("tap-analytics")
_LONG_WAIT = 20.0
_START_IN_FLIGHT = 4
_GROW_EVERY = 8
_CAREFUL_SUCCESSES = 24
_SAFE_SHARE = 0.95
_BACK_OFF = 0.7
_EVIDENCE = 5
_PROBE_AFTER = 20.0
_PROBE_AFTER_FAILURE = 60.0
_PROBE_STEP = 1.25
_RETRY_SHARE = 0.13
_RETRIES_AT_FIRST = 20.0
_RETRIES_AT_MOST = 100.0


class _Window:
    """At most ``count`` requests in any ``seconds``."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count = count
        self.seconds = seconds
        self._sent: deque[float] = deque(maxlen=count)

    def free_at(self) -> float:
        return self._sent[0] + self.seconds if len(self._sent) == self.count else 0.0

    def use(self, now: float) -> None:
        self._sent.append(now)


class Budget:
    """Grants requests to the threads of one API.

    A limit that nobody declared is learned: requests in flight grow from a few, or half the
    allowed number, slowly at first, for a burst would run into a low limit many times at once. The
    first "slower" of the server sets the rate to what it had just let through, less a margin,
    if that was enough to tell; else fewer requests are in flight for a while. From time to
    time a higher rate is tried, and given up if the server objects.
    """

    def __init__(self, windows: Iterable[tuple[int, float]], concurrency: int) -> None:
        """Start with the declared limits.

        Args:
            windows: Pairs of (requests, seconds): so many in any such time.
            concurrency: Requests in flight at most.
        """
        self._windows = [_Window(count, seconds) for count, seconds in windows]
        self._concurrency = concurrency
        self._allowed = min(max(_START_IN_FLIGHT, concurrency // 2), concurrency)
        self._cond = threading.Condition()
        self._in_flight = 0
        self._successes = 0
        self._recent: deque[float] = deque()
        self._pause_until = 0.0
        self._learned: _Window | None = None
        self._learned_at = 0.0
        self._slowed_at = 0.0
        self._before_probe: float | None = None
        self._probe_after = _PROBE_AFTER
        self._retries = _RETRIES_AT_FIRST
        self._closed = False
        self._announced = 0.0

    def acquire(self) -> float:
        """Wait for leave to send a request.

        Returns:
            The monotonic time of the leave, to be handed back with `release`.
        """
        with self._cond:
            while True:
                now = time.monotonic()
                if self._closed:
                    self._in_flight += 1
                    return now
                limits = [*self._windows, self._learned] if self._learned else self._windows
                at = max((window.free_at() for window in limits), default=0.0)
                at = max(at, self._pause_until)
                if self._in_flight < self._allowed and at <= now:
                    for window in limits:
                        window.use(now)
                    self._in_flight += 1
                    return now
                self._announce(at, now)
                self._cond.wait(at - now if at > now else None)

    def _announce(self, at: float, now: float) -> None:
        if at - now > _LONG_WAIT and at > self._announced + _LONG_WAIT:
            _logger.info("Waiting %d s, as the API's limit asks for", at - now)
            self._announced = at

    def release(self, granted: float, *, good: bool, throttled: bool = False) -> None:
        """Give the leave back after the answer.

        Args:
            granted: What `acquire` returned.
            good: Whether the answer was sound.
            throttled: Whether the server asked to slow down.
        """
        now = time.monotonic()
        with self._cond:
            self._in_flight -= 1
            if throttled:
                self._slow_down(granted, now)
            elif good:
                self._succeeded(granted, now)
            self._cond.notify_all()

    def _succeeded(self, granted: float, now: float) -> None:
        self._successes += 1
        self._retries = min(self._retries + _RETRY_SHARE, _RETRIES_AT_MOST)
        careful = self._successes <= _CAREFUL_SUCCESSES
        if self._allowed < self._concurrency and not (careful and self._successes % _GROW_EVERY):
            self._allowed += 1
        if self._learned is None:
            self._recent.append(now)
            while self._recent[0] < now - 1.0:
                self._recent.popleft()
        elif self._recent and granted < self._slowed_at:  # it was let through before the refusal
            self._recent.append(now)
            self._learn(len(self._recent) * _SAFE_SHARE, now)
        elif now - self._learned_at > self._probe_after:
            self._before_probe = 1 / self._learned.seconds
            self._recent.clear()
            self._learn(_PROBE_STEP * self._before_probe, now)

    def _slow_down(self, granted: float, now: float) -> None:
        if granted < self._slowed_at:
            return
        self._slowed_at = now
        if self._learned is None:
            if len(self._recent) >= _EVIDENCE:
                self._learn(len(self._recent) * _SAFE_SHARE, now)
            else:
                self._allowed = max(1, self._allowed // 2)
        elif self._before_probe is not None:
            self._learn(self._before_probe, now)
            self._before_probe = None
            self._probe_after = _PROBE_AFTER_FAILURE
        else:
            self._recent.clear()
            self._learn(_BACK_OFF / self._learned.seconds, now)

    def _learn(self, rate: float, now: float) -> None:
        self._learned = _Window(1, 1 / rate)
        self._learned_at = now

    def pause(self, seconds: float) -> float:
        """Keep all threads of the API from sending for so long.

        Refusals of requests that were granted before teach nothing new.

        Returns:
            Seconds by which this is longer than what they were waiting for anyway.
        """
        with self._cond:
            now = self._slowed_at = time.monotonic()
            before = max(self._pause_until, now)
            self._pause_until = max(before, now + seconds)
            return self._pause_until - before

    def may_retry(self) -> bool:
        """Take one retry from the allowance, which grows by a share of the good answers."""
        with self._cond:
            if self._retries < 1:
                return False
            self._retries -= 1
            return True

    def close(self) -> None:
        """Let every waiting thread go, for the run has ended."""
        with self._cond:
            self._closed = True
            self._cond.notify_all()
