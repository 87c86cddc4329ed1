"""One page of a list, as it came from the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Signals


class Page(Struct):
    """A page that was judged sound.

    Attributes:
        records: Its records, as decoded.
        signals: What it says about the whole list.
        fingerprint: Equal for pages with the same records.
        size: Bytes of the body.
        read_at: When it was read, ISO 8601 in UTC.
        is_object: Whether there was one object where a list has an array.
        served_at: What the server's clock said, in microseconds since 1970, if it did.
        rows: How many of what a total counts are on it; its records, unless told otherwise.
        is_empty: Whether nothing was there; unlike a page of groups that have no records.
        asked_at: When it was asked for, in seconds of the monotonic clock.
        answered_at: When it came, in seconds of the monotonic clock.
    """

    records: list[dict[str, Any]]
    signals: Signals
    fingerprint: int
    size: int
    read_at: str
    is_object: bool = False
    served_at: int | None = None
    rows: int = -1
    is_empty: bool | None = None
    asked_at: float = 0.0
    answered_at: float = 0.0

    def __post_init__(self) -> None:
        """Count the records where nothing else was counted."""
        if self.rows < 0:
            self.rows = len(self.records)
        if self.is_empty is None:
            self.is_empty = not self.records
