"""Limits that an API announces in the headers of its answers, kept before they are hit."""

from __future__ import annotations

import math
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PREFIXES = ("RateLimit", "X-RateLimit", "X-Rate-Limit")
_PARAMETER = re.compile(r"([a-z]+)\s*=\s*\"?([0-9.]+)")
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e9, 1e11
_ROUNDING = 1.0
_SAME_WINDOW = 1.5


class Announcement(NamedTuple):
    """What an answer says about a limit.

    Attributes:
        name: Tells the limits of an API apart.
        limit: Requests in a whole window, None if that is not said.
        remaining: Requests that are left of them.
        reset: Seconds until the next window begins, at most.
    """

    name: str
    limit: int | None
    remaining: int
    reset: float


def announced(
    headers: Mapping[str, str], served_at: int | None, *, refused: bool = False
) -> list[Announcement]:
    """Return what an answer's headers say about limits.

    The headers are ``RateLimit`` (as in the drafts of the IETF, old and new) and
    ``RateLimit-*``, ``X-RateLimit-*`` and ``X-Rate-Limit-*`` with ``Limit``, ``Remaining`` and
    ``Reset``; a reset is in seconds from now, in seconds or milliseconds since 1970, or a date.

    Args:
        headers: The headers, names in any case.
        served_at: The server's time, in microseconds since 1970, if it is known.
        refused: Whether the request was refused: then nothing is left, if nothing else is said.
    """
    if not any("rate" in name.lower() for name in headers):  # as of most answers
        return []
    found = list(_structured(headers.get("RateLimit", "")))
    for prefix in _PREFIXES:
        remaining = _count(headers.get(f"{prefix}-Remaining"))
        remaining = 0 if remaining is None and refused else remaining
        if remaining is None:
            continue
        reset = _seconds_left(headers.get(f"{prefix}-Reset", ""), served_at)
        if reset is not None:
            limit = _count(headers.get(f"{prefix}-Limit"))
            found.append(Announcement(str(limit or ""), limit, remaining, reset))
    return found


def _structured(text: str) -> Iterator[Announcement]:
    is_early_draft = "remaining" in text
    for item in [text] if is_early_draft else text.split(","):
        said: dict[str, str] = dict(_PARAMETER.findall(item.lower()))
        remaining = _count(said.get("remaining", said.get("r")))
        reset = _number(said.get("reset") or said.get("t") or "")
        limit = _count(said.get("limit"))
        if remaining is not None and reset is not None:
            name = str(limit or "") if is_early_draft else item.partition(";")[0].strip()
            yield Announcement(name, limit, remaining, reset + _ROUNDING)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _count(text: str | None) -> int | None:
    """Return the first number of a header, such as of ``10, 10;w=1, 50;w=60``."""
    number = _number(re.split(r"[,;]", text, maxsplit=1)[0]) if text else None
    return None if number is None else max(int(number), 0)


def _seconds_left(text: str, served_at: int | None) -> float | None:
    """Return the seconds until a reset, at most: whole seconds may have been rounded down."""
    moment = _number(text)
    if moment is not None and moment < _EPOCH_SECONDS:
        return max(moment, 0.0) + (_ROUNDING if moment.is_integer() else 0.0)
    if moment is None:
        moment = _date(text)
        if moment is None:
            return None
    elif moment >= _EPOCH_MILLISECONDS:
        moment /= 1000
    now = time.time() if served_at is None else served_at / 1_000_000
    return max(moment - now, 0.0) + _ROUNDING


def _date(text: str) -> float | None:
    for read in (times.micros, lambda text: parsedate_to_datetime(text).timestamp() * 1_000_000):
        try:
            return read(text) / 1_000_000
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def told(announcements: Iterable[Announcement]) -> float | None:
    """Return the seconds to wait after a refusal: until all limits that are spent are reset."""
    return max((said.reset for said in announcements if said.remaining == 0), default=None)


class Quota:
    """One announced limit: how many requests are left until when.

    What is in flight may be counted in what the last answer said or not: it is taken as if it
    were not. Answers that overtake each other never make more of what is left.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._limit: int | None = None
        self._left: int | None = None
        self._reset_at: float | None = None
        self._said_at = 0.0

    def _roll(self, now: float) -> None:
        """Begin a new window when the time has come; when it ends is not known yet."""
        if self._reset_at is not None and now >= self._reset_at:
            self._left = self._limit
            self._reset_at = None

    def free_at(self, now: float) -> float:
        """Return the time from which another request may be sent."""
        self._roll(now)
        is_spent = self._left is not None and self._left < 1
        return self._reset_at or 0.0 if is_spent else 0.0

    def has_room(self, in_flight: int, now: float) -> bool:
        """Tell whether one more request fits beside those in flight."""
        self._roll(now)
        return in_flight == 0 or self._left is None or in_flight < self._left

    def missed(self) -> None:
        """Count an answer that said nothing."""
        if self._left is not None:
            self._left -= 1
            if self._left < 1 and self._reset_at is None:
                self._left = None

    def take(self, said: Announcement, granted: float, now: float) -> None:
        """Take what an answer says, to a request that was granted then."""
        self._roll(now)
        reset_at = now + said.reset
        overlaps = granted < self._said_at and self._left is not None
        if overlaps and self._reset_at is not None:
            if reset_at < self._reset_at - _SAME_WINDOW:
                return
            if reset_at <= self._reset_at + _SAME_WINDOW:
                self._left = min(self._left or 0, said.remaining)
                self._reset_at = max(reset_at, self._reset_at)
                self._said_at = now
                return
        self._limit = said.limit or max(self._limit or 0, said.remaining + 1)
        self._left = said.remaining
        self._reset_at = reset_at
        self._said_at = now
