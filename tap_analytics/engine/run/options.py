"""The settings that a run is made of, read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST

if TYPE_CHECKING:
    from collections.abc import Mapping


class Options(Struct, frozen=True):
    """The settings that hold for all APIs of an account; times in microseconds since 1970."""

    since: int
    until: int
    concurrency: int
    timeout: float
    max_wait: float
    max_retries: int | None
    backoff_factor: float | None
    max_lost_share: float
    backfill: bool
    lookback: int | None
    full_read_every: int | None
    activate_versions: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Options:
        """Read them from a valid configuration."""
        start, end = config.get("start_date"), config.get("end_date")
        factor = config.get("backoff_factor")
        return cls(
            since=FIRST if start is None else times.micros(start),
            until=-FIRST if end is None else times.last_micros(end),
            concurrency=config["max_concurrency"],
            timeout=float(config["request_timeout"]),
            max_wait=float(config["max_wait"]),
            max_retries=config.get("max_retries"),
            backoff_factor=None if factor is None else float(factor),
            max_lost_share=float(config["max_lost_share"]),
            backfill=bool(config.get("backfill")),
            lookback=_days(config.get("lookback_days")),
            full_read_every=_days(config.get("full_read_every_days")),
            activate_versions=bool(config["emit_activate_version_messages"]),
        )

    @property
    def reads_open_end(self) -> bool:
        """Whether nothing keeps a run from reading up to now."""
        return self.until == -FIRST and not self.backfill

    def policy(self, documented: RetryPolicy) -> RetryPolicy:
        """Return an API's documented policy with the user's own values put in."""
        factor = self.backoff_factor
        constant = documented.constant
        return RetryPolicy(
            statuses=documented.statuses,
            max_retries=documented.max_retries if self.max_retries is None else self.max_retries,
            factor=documented.factor if factor is None else factor,
            constant=constant if factor is None or constant is None else factor,
        )


def _days(number: float | None) -> int | None:
    return None if number is None else int(float(number) * times.DAY)
