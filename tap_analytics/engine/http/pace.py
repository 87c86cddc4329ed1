"""The pace that nobody declared: requests in flight, and the rate that refusals teach."""

from __future__ import annotations

from collections import deque

from tap_analytics.engine.http.windows import Window

SLOWEST = 0.2
"""Requests a second below which no refusal leads."""

_START_IN_FLIGHT = 4
_START_SHORT_BY = 8
_GROW_EVERY = 8
_CAREFUL_SUCCESSES = 24
_SAFE_SHARE = 0.95
_BACK_OFF = 0.7
_EVIDENCE = 5
_PROBE_AFTER = 20.0
_PROBE_AFTER_FAILURE = 60.0
_PROBE_STEP = 1.25


class Pace:
    """Learns how fast an API may be asked.

    Requests in flight grow from a few, or a few less than a large number that is allowed, slowly
    at first, for a burst would run into a low limit many times at once. The first "slower" of
    the server sets the rate to what it had just let through, less a margin, if that was enough
    to tell; else fewer requests are in flight for a while. From time to time a higher rate is
    tried, and given up if the server objects.

    A refusal lowers the rate only if good answers came since it was set, never below what
    these amount to, and never below `SLOWEST`: where nothing gets through, the rate is not
    what is wrong.

    Attributes:
        in_flight: Requests that may be in flight at once.
    """

    def __init__(self, concurrency: int) -> None:
        """Start carefully.

        Args:
            concurrency: Requests in flight at most.
        """
        self._concurrency = concurrency
        first = max(_START_IN_FLIGHT, concurrency - _START_SHORT_BY)
        self.in_flight = min(first, concurrency)
        self._successes = 0
        self._recent: deque[float] = deque()
        self._learned: Window | None = None
        self._learned_at = 0.0
        self._since_learned = 0
        self._slowed_at = 0.0
        self._before_probe: float | None = None
        self._probe_after = _PROBE_AFTER

    @property
    def rate(self) -> float | None:
        """Requests a second, if that was learned."""
        return None if self._learned is None else 1 / self._learned.seconds

    def free_at(self) -> float:
        """Return the time from which another request may be sent."""
        return 0.0 if self._learned is None else self._learned.free_at()

    def use(self, now: float) -> None:
        """Count a request."""
        if self._learned is not None:
            self._learned.use(now)

    def succeeded(self, granted: float, now: float) -> None:
        """Take a good answer to a request that was granted then."""
        self._successes += 1
        careful = self._successes <= _CAREFUL_SUCCESSES
        if self.in_flight < self._concurrency and not (careful and self._successes % _GROW_EVERY):
            self.in_flight += 1
        if self._learned is None:
            self._recent.append(now)
            while self._recent[0] < now - 1.0:
                self._recent.popleft()
            return
        if self._recent and granted < self._slowed_at:  # it was let through before the refusal
            self._recent.append(now)
            self._learn(len(self._recent) * _SAFE_SHARE, now)
            return
        self._since_learned += 1
        if now - self._learned_at > self._probe_after:
            self._before_probe = self.rate
            self._recent.clear()
            self._learn(_PROBE_STEP / self._learned.seconds, now)

    def refused(self, granted: float, now: float) -> None:
        """Take a "slower" in answer to a request that was granted then."""
        if granted < self._slowed_at:
            return
        self._slowed_at = now
        if self._learned is None:
            if len(self._recent) >= _EVIDENCE:
                self._learn(len(self._recent) * _SAFE_SHARE, now)
            else:
                self.in_flight = max(1, self.in_flight // 2)
        elif self._before_probe is not None:
            self._learn(self._before_probe, now)
            self._before_probe = None
            self._probe_after = _PROBE_AFTER_FAILURE
        elif self._since_learned:
            self._recent.clear()
            self._learn(max(_BACK_OFF / self._learned.seconds, self._let_through(now)), now)

    def _let_through(self, now: float) -> float:
        """Return the rate of good answers since the rate was set, if they are enough to tell."""
        if self._learned is None or self._since_learned < _EVIDENCE:
            return 0.0
        seconds = max(now - self._learned_at, self._since_learned * self._learned.seconds)
        return _SAFE_SHARE * self._since_learned / seconds

    def forget(self, now: float) -> None:
        """Learn nothing from the requests that are under way, for all are told to wait."""
        self._slowed_at = now

    def _learn(self, rate: float, now: float) -> None:
        self._learned = Window(1, 1 / max(rate, SLOWEST))
        self._learned_at = now
        self._since_learned = 0
