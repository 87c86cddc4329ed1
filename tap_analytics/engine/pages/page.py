"""One page of a list, as it came from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Signals


@dataclass
class Page:
    """A page that was judged sound.

    Attributes:
        records: Its records, as decoded.
        signals: What it says about the whole list.
        fingerprint: Equal for pages with the same records.
        size: Bytes of the body.
        read_at: When it was read, ISO 8601 in UTC.
        is_object: Whether there was one object where a list has an array.
        served_at: What the server's clock said, in microseconds since 1970, if it did.
    """

    records: list[dict[str, Any]]
    signals: Signals
    fingerprint: int
    size: int
    read_at: str
    is_object: bool = False
    served_at: int | None = None
