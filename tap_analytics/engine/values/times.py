"""Reading and normalizing ISO 8601 times."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from itertools import repeat
from operator import sub
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - texts that end in Z are parsed without it
_MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FIRST = (date.min.toordinal() - _EPOCH_DAY) * DAY
_LAST = (date.max.toordinal() - _EPOCH_DAY + 1) * DAY - 1
_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)
_SURELY_VALID = re.compile(
    r"(?!0000)\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z",
    re.ASCII,
)
_decode_local = msgspec.json.Decoder(list[datetime]).decode
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MIDNIGHT = re.compile(r"00:00(?::00(?:[.,]0+)?)?\s*(?:[Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_LONGEST = len("2026-01-31T09:00:00.000000+00:00")
_LONGEST_IN_UTC = len("2026-01-31T09:00:00.000000Z")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


class _Times(msgspec.Struct, array_like=True):
    """Texts that are times; what a struct holds is compiled once, and not at each call."""

    given: list[datetime | None]


@lru_cache(maxsize=4096)
def _day_start(text: str) -> int:
    return (date.fromisoformat(text).toordinal() - _EPOCH_DAY) * DAY


@lru_cache(maxsize=256)
def _ahead_of_utc(zone: str) -> timedelta:
    """Return how far a zone such as ``+02:00``, ``+0200`` or ``+02`` is ahead of UTC."""
    if zone[0] not in "+-":
        msg = "not a zone"
        raise ValueError(msg)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:  # noqa: PLR2004
        msg = "not a zone"
        raise ValueError(msg)
    ahead = timedelta(hours=hours, minutes=minutes)
    return -ahead if zone[0] == "-" else ahead


def _micros_of_common(text: str) -> int | None:
    """Read the forms that most APIs send, faster than all forms can be read."""
    if text[4:8:3] != "--" or text[10:17:3] != "T::" or text[11:13] >= "24":
        return None
    is_utc = text[-1] == "Z"
    if not is_utc and text[-2:] >= "60":  # minutes of a zone that Python takes and none has
        return None
    try:
        when = datetime.fromisoformat(text[:-1] if is_utc else text)
    except ValueError:
        return None
    if when.tzinfo is None:
        return (when - _NAIVE_EPOCH) // _MICROSECOND
    return None if is_utc else min(max((when - EPOCH) // _MICROSECOND, _FIRST), _LAST)


def micros(text: str) -> int:
    """Return an ISO 8601 date or date-time as microseconds since 1970 in UTC.

    A time without a zone is taken as UTC. Digits below a microsecond are cut off, and second
    60 is the first one of the next minute. A time that leaves the years 1 to 9999 on its way
    to UTC stops at their edge.

    Raises:
        ValueError: If the text is not such a time.
    """
    common = _micros_of_common(text)
    if common is not None:
        return common
    match = _ISO.fullmatch(text)
    if match is None:
        msg = "not an ISO 8601 time"
        raise ValueError(msg)
    day, hour, minute, second, fraction, zone = match.groups()
    total = _day_start(day)
    if hour is None:
        return total
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 60:  # noqa: PLR2004
        msg = "not a time of day"
        raise ValueError(msg)
    total += ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
    if fraction:
        total += int(fraction[:6].ljust(6, "0"))
    if zone and zone not in "Zz":
        total -= _ahead_of_utc(zone) // _MICROSECOND
    return min(max(total, _FIRST), _LAST)


def all_micros(texts: list[str | None], missing: int) -> list[int]:
    """Return what `micros` returns for each text, and `missing` for None, several times as fast.

    Raises:
        ValueError: If one of them is not of the forms that most APIs send.
    """
    moments = _read(texts)
    given = [text for text in texts if text is not None]
    if max(map(len, given), default=0) > _LONGEST_IN_UTC and any(map(_is_finer, given)):
        msg = "finer than a microsecond"
        raise ValueError(msg)
    if given and not "0001-01-02" < min(given) <= max(given) < "9999-12-31":
        msg = "at the edge of the calendar, which another zone may be beyond"
        raise ValueError(msg)
    try:
        return [missing if one is None else (one - EPOCH) // _MICROSECOND for one in moments]
    except TypeError:
        msg = "without a zone"
        raise ValueError(msg) from None


def _is_finer(text: str) -> bool:
    """Tell whether a valid time with a zone may have more digits than those of a microsecond."""
    return len(text) > (_LONGEST if text[-6] in "+-" else _LONGEST_IN_UTC)


def last_micros(text: str) -> int:
    """Return the last moment of an ISO 8601 date (that whole day), or the moment of a time."""
    return micros(text) + (DAY - 1 if len(text) == len("YYYY-MM-DD") else 0)


def utc_text(text: str) -> str:
    """Return an ISO 8601 time in UTC, ending in ``Z``; one that already does is kept as it is.

    Raises:
        ValueError: If the text is not a time, or none that targets can hold.
    """
    if text[-1:] == "Z" and _SURELY_VALID.fullmatch(text):
        return text
    if text[17:19] == "60":
        msg = "second 60, which targets refuse"
        raise ValueError(msg)
    moment = micros(text)
    return text if _CANONICAL.fullmatch(text) else iso(moment)


def mended_time(text: str) -> str:
    """Return what `utc_text` does, also of a time with second 60 or space around it.

    Raises:
        ValueError: If the text is not a time.
    """
    return iso(micros(text.strip()))


def day_text(text: str) -> str:
    """Return an ISO 8601 date (``YYYY-MM-DD``) as it is.

    Raises:
        ValueError: If the text is not such a date.
    """
    if _DAY.fullmatch(text) is None:
        msg = "not a date"
        raise ValueError(msg)
    _day_start(text)
    return text


def mended_day(text: str) -> str:
    """Return the date in a text with space around it, or in a time at the start of a day.

    Raises:
        ValueError: If the text is neither.
    """
    day, at, rest = text.strip().replace(" ", "T").partition("T")
    if at and (_MIDNIGHT.fullmatch(rest) is None):
        msg = "a time within a day"
        raise ValueError(msg)
    return day_text(day)


def _read(texts: Sequence[str | None]) -> list[Any]:
    try:
        return msgspec.convert((texts,), _Times).given
    except msgspec.ValidationError as error:  # which is a ValueError in its newest versions only
        raise ValueError(str(error)) from None


def moved_to_utc(texts: list[str | None]) -> tuple[list[int], list[str]]:
    """Return the places of times that `utc_text` changes, and the times as it changes them.

    Raises:
        ValueError: If one of them is not of the forms that most APIs send.
        OverflowError: If one of them leaves the years 1 to 9999.
    """
    _read(texts)
    places = [
        place
        for place, text in enumerate(texts)
        if text is not None and (text[-1] != "Z" or text[10] != "T")
    ]
    if not places:
        return places, []
    there = list(map(sub, *_local_and_ahead([texts[place] or "" for place in places])))
    return places, msgspec.to_builtins(there)


def _local_and_ahead(texts: list[str]) -> tuple[Iterable[datetime], Iterable[timedelta]]:
    """Return valid times as if they were in UTC, and how far each is ahead of it."""
    if max(map(len, texts)) > _LONGEST:
        msg = "finer than a microsecond"
        raise ValueError(msg)
    zone = texts[0][-6:]
    said = msgspec.json.encode(texts)
    local = said.replace(f'{zone}"'.encode(), b'Z"')
    if len(said) - len(local) == len(texts) * (len(zone) - 1):  # then all have the same zone
        the_same = _ahead_of_utc(zone)  # first, for it refuses what is no zone
        return _decode_local(local), repeat(the_same)
    ahead = [_ahead_of_utc(text[-6:]) for text in texts]
    return _read([f"{text[:-6]}Z" for text in texts]), ahead


def iso(moment: int) -> str:
    """Return microseconds since 1970 as an ISO 8601 time in UTC, ending in ``Z``."""
    return (_NAIVE_EPOCH + timedelta(microseconds=moment)).isoformat() + "Z"


def day(moment: int) -> str:
    """Return the UTC day (``YYYY-MM-DD``) of microseconds since 1970."""
    return date.fromordinal(moment // DAY + _EPOCH_DAY).isoformat()


def now() -> int:
    """Return the current time as microseconds since 1970."""
    return (datetime.now(UTC) - EPOCH) // _MICROSECOND
