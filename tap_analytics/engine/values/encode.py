"""Encoding records as lines of JSON that any target can read."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.engine.values.typed import TypedRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPES_LOOKED_AT = 50
_search_nul = re.compile(rb"\\u0000").search  # several times as fast as `in`


def _has_nul(data: bytes) -> bool:
    """Tell whether there may be a NUL in JSON; where little is escaped, in no time."""
    escaped = data.find(b"\\")
    for _ in range(_ESCAPES_LOOKED_AT):
        if escaped < 0 or data.startswith(b"u0000", escaped + 1):
            return escaped >= 0
        escaped = data.find(b"\\", escaped + 2)
    return _search_nul(data, escaped) is not None


def _other(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_encoder = msgspec.json.Encoder(enc_hook=_other, decimal_format="number")
_canonical = msgspec.json.Encoder(enc_hook=_other, decimal_format="number", order="sorted")


def encode(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, without NUL characters and half surrogate pairs.

    Databases refuse both: NUL is dropped, half a pair becomes U+FFFD.
    """
    try:
        data = _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_cleaned(value))
    return _encoder.encode(_cleaned(value)) if _has_nul(data) else data


def encode_lines(values: Sequence[Any]) -> bytes:
    """Return all values as `encode` does, each with a line feed after it, in one go."""
    try:
        data = _encoder.encode_lines(values)
    except UnicodeEncodeError:
        data = b""
    return data if data and not _has_nul(data) else b"".join([encode(v) + b"\n" for v in values])


def canonical(value: Any) -> bytes:
    """Return a value as JSON with the names of its objects sorted."""
    try:
        return _canonical.encode(value)
    except UnicodeEncodeError:
        return _canonical.encode(_cleaned(value))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        text = value.replace("\x00", "")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict | TypedRecord):
        return {_cleaned(name): _cleaned(value[name]) for name in value}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in value]
    return value
