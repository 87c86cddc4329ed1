"""Limits that an API declares: at most so many requests in any so many seconds."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Window:
    """At most ``count`` requests in any ``seconds``."""

    def __init__(self, count: int, seconds: float) -> None:
        """Start with none sent."""
        self.count = count
        self.seconds = seconds
        self._sent: deque[float] = deque(maxlen=count)

    def free_at(self) -> float:
        """Return the time from which another request may be sent."""
        return self._sent[0] + self.seconds if len(self._sent) == self.count else 0.0

    def use(self, now: float) -> None:
        """Count a request."""
        self._sent.append(now)


class Windows:
    """All limits that an API declares; each of them has to be kept."""

    def __init__(self, windows: Iterable[tuple[int, float]]) -> None:
        """Take pairs of (requests, seconds)."""
        self._windows = [Window(count, seconds) for count, seconds in windows]

    def free_at(self) -> float:
        """Return the time from which another request may be sent."""
        return max((window.free_at() for window in self._windows), default=0.0)

    def use(self, now: float) -> None:
        """Count a request."""
        for window in self._windows:
            window.use(now)
