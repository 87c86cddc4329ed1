"""How often a failed request is tried again, and how long to wait in between."""

from __future__ import annotations

import backoff
from msgspec import Struct


class RetryPolicy(Struct, frozen=True):
    """An API's documented way of retrying.

    Attributes:
        statuses: Documented statuses to retry after; failures of the server itself and
            of the connection are retried besides.
        max_retries: Attempts after the first.
        factor: Seconds that the exponential waits start from (``factor * 2 ** n``).
        constant: Seconds to wait after each throttled answer instead, where documented.
    """

    statuses: tuple[int, ...] = (429,)
    max_retries: int = 3
    factor: float = 2
    constant: float | None = None

    def wait(self, retry: int, *, throttled: bool) -> float:
        """Return the seconds to wait before a retry (counted from 0)."""
        if throttled and self.constant is not None:
            return self.constant
        return backoff.full_jitter(self.factor * 2.0 ** min(retry, 16))
