"""Encoding records as lines of JSON that any target can read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

_NUL = b"\\u0000"


def _other(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_encoder = msgspec.json.Encoder(enc_hook=_other, decimal_format="number")
_canonical = msgspec.json.Encoder(enc_hook=_other, decimal_format="number", order="sorted")


def encode(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, without NUL characters and half surrogate pairs.

    Databases refuse both: NUL is dropped, half a pair becomes U+FFFD.
    """
    return _safely(_encoder, value)


def canonical(value: Any) -> bytes:
    """Return a value as JSON with the names of its objects sorted."""
    return _safely(_canonical, value)


def _safely(encoder: msgspec.json.Encoder, value: Any) -> bytes:
    try:
        data = encoder.encode(value)
    except UnicodeEncodeError:
        return encoder.encode(_cleaned(value))
    return encoder.encode(_cleaned(value)) if _NUL in data else data


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        text = value.replace("\x00", "")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in value]
    return value
