"""Times of the generated data: two years that end at a fixed moment, whatever today is."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from tap_analytics.sandbox.data.draws import mix

if TYPE_CHECKING:
    from collections.abc import Callable

END = datetime(2026, 11, 1, tzinfo=timezone.utc)
"""Nothing in the sandbox was changed at or after this moment."""
SPAN = timedelta(days=730)
"""How far back the changes reach."""
BEFORE = END - SPAN - timedelta(days=1)
"""Nothing was changed before this moment."""

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_MILLISECONDS = 10**11
"""No time in seconds is so late, and no time in milliseconds so early."""

_END = int(END.timestamp()) * SECOND
_SPAN = SPAN.days * DAY
_EPOCH = date(1970, 1, 1)


def instant(text: str) -> float:
    """The epoch seconds of a day (YYYY-MM-DD) or an ISO 8601 time, in UTC unless it says."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def text_day(text: str) -> datetime:
    """The start of a day that was written for people, such as `Wed Nov 05 2025`, in UTC."""
    return datetime.strptime(text, "%a %b %d %Y").replace(tzinfo=timezone.utc)


def when(value: object) -> float:
    """The epoch seconds of a time however it is written; 0 of none."""
    text = str(value or 0)
    if not text.isdecimal():
        return instant(text) if text[0].isdecimal() else text_day(text).timestamp()
    number = int(text)
    return number / SECOND if number > _MILLISECONDS else number


def changed(salt: int, index: int) -> int:
    """When row `index` was last changed, in epoch milliseconds.

    The order of the rows says nothing about it, and one row in seven shares its moment with the
    row before it.
    """
    return _END - 1 - _scatter(salt, index) % _SPAN


def created(salt: int, index: int) -> int:
    """When row `index` was created, in epoch milliseconds: up to 400 days before its change."""
    scattered = _scatter(salt, index)
    return _END - 1 - scattered % _SPAN - (scattered >> 24) % (400 * DAY)


def recent(index: int) -> int:
    """The moment of the event at `index`, newest first and never twice, in epoch milliseconds."""
    return _END - 1 - index * 977 - mix(index) % 977


def _scatter(salt: int, index: int) -> int:
    return mix(salt + index - (index % 7 == 3))  # noqa: PLR2004


@lru_cache(maxsize=4096)
def _date(day: int) -> bytes:
    return (_EPOCH + timedelta(days=day)).isoformat().encode()


def _clock(seconds: int) -> bytes:
    """Date and time of day; several times as fast as `datetime.isoformat`."""
    day, second = divmod(seconds, 86_400)
    return b"%bT%02d:%02d:%02d" % (_date(day), second // 3600, second // 60 % 60, second % 60)


def _iso(moment: int) -> bytes:
    """ISO 8601 as different clients write it: with Z, with an offset, with milliseconds."""
    seconds = moment // SECOND
    style = seconds % 3
    if style == 0:
        return b'"%bZ"' % _clock(seconds)
    if style == 1:
        return b'"%b+02:00"' % _clock(seconds + 7200)
    return _iso_ms(moment)


def _iso_ms(moment: int) -> bytes:
    return b'"%b.%03dZ"' % (_clock(moment // SECOND), moment % SECOND)


def _strftime(template: str) -> Callable[[int], bytes]:
    return lambda moment: (
        datetime.fromtimestamp(moment // SECOND, timezone.utc).strftime(template).encode()
    )


FORMATS: dict[str, Callable[[int], bytes]] = {
    "iso": _iso,
    "iso_ms": _iso_ms,
    "ms": lambda moment: b"%d" % moment,
    "ms_text": lambda moment: b'"%d"' % moment,
    "s": lambda moment: b"%d" % (moment // SECOND),
    "s_text": lambda moment: b'"%d"' % (moment // SECOND),
    "date": lambda moment: b'"%b"' % _date(moment // DAY),
    "day_text": _strftime('"%a %b %d %Y"'),
    "clock_text": _strftime('"%I:%M:%S %p UTC"'),
}
"""How a moment (epoch milliseconds) is written as JSON, by the name the contract tables use."""
