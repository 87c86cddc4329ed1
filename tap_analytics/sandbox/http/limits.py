"""What an API lets through: a rate it keeps to itself, and a quota that its headers announce."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import NamedTuple


class Quota(NamedTuple):
    """How many requests an API takes in a window of time.

    Vendors that announce it send `x-ratelimit-limit`, `-remaining` and `-reset` with every answer.
    """

    requests: int
    seconds: float = 3600.0
    epoch: bool = False
    """Whether the reset is told as a moment (epoch seconds), and not as seconds from now."""


class OverLimitError(Exception):
    """A request is not let through: status 429."""

    def __init__(self, headers: dict[str, str]) -> None:
        """Tell what the headers of the answer say."""
        super().__init__("too many requests")
        self.headers = headers


class Limits:
    """The limits of one API, and what they have let through."""

    def __init__(
        self, rate: int | None, quota: Quota | None, *, announced: bool, retry_after: int | None
    ) -> None:
        """Begin with nothing let through.

        Args:
            rate: Requests in any second; None for any number.
            quota: Requests in windows that begin with their first one; None for any number.
            announced: Whether headers tell the quota.
            retry_after: Seconds that a refusal by the quota tells to wait; None for no word.
        """
        self._rate = rate
        self._quota = quota
        self._announced = announced
        self._retry_after = retry_after
        self._last_second: deque[float] = deque()
        self._count = 0
        self._end = 0.0

    def admit(self) -> dict[str, str]:
        """Let a request through; returns headers for its answer.

        Raises:
            OverLimitError: It is over a limit.
        """
        self._admit_by_rate()
        if self._quota is None:
            return {}
        now = time.time()
        if now >= self._end:
            self._count, self._end = 0, now + self._quota.seconds
        if self._count >= self._quota.requests:
            headers = self._headers(now)
            if self._retry_after is not None:
                headers["retry-after"] = str(self._retry_after)
            raise OverLimitError(headers)
        self._count += 1
        return self._headers(now)

    def _admit_by_rate(self) -> None:
        if self._rate is None:
            return
        now, through = time.monotonic(), self._last_second
        while through and now - through[0] >= 1:
            through.popleft()
        if len(through) >= self._rate:
            raise OverLimitError({"retry-after": str(math.ceil(through[0] + 1 - now))})
        through.append(now)

    def _headers(self, now: float) -> dict[str, str]:
        if self._quota is None or not self._announced:
            return {}
        reset = self._end if self._quota.epoch else self._end - now
        return {
            "x-ratelimit-limit": str(self._quota.requests),
            "x-ratelimit-remaining": str(self._quota.requests - self._count),
            "x-ratelimit-reset": str(math.ceil(reset)),
        }
