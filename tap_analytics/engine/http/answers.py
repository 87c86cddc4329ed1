"""Judging an answer, once and in one place: status, size, JSON."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.engine.errors import Denied, Gone, ReadError, TransientError
from tap_analytics.engine.values import times
from tap_analytics.engine.values.fitting import exact_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.http.policy import RetryPolicy

_EXCERPT = 200
_EXPIRED = b'"invalid_token"'
_TRANSIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
THROTTLED = frozenset({420, HTTPStatus.TOO_MANY_REQUESTS})


_decoder = msgspec.json.Decoder(float_hook=exact_number)


@dataclass
class Answer:
    """An answer as it came.

    Attributes:
        status: Its status.
        headers: Its headers, names in any case.
        body: Its whole body, decompressed.
        asked_at: When it was asked for, in seconds of the monotonic clock.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked_at: float = 0.0

    @cached_property
    def json(self) -> Any:
        """The body, decoded once without losing a digit.

        Raises:
            TransientError: If it is not JSON.
        """
        return decode(self.body)

    @cached_property
    def served_at(self) -> int | None:
        """What the server's clock said, in microseconds since 1970; None if it did not say."""
        try:
            return times.micros(parsedate_to_datetime(self.headers.get("Date", "")).isoformat())
        except (ValueError, TypeError, OverflowError):
            return None


def decode(body: bytes) -> Any:
    """Decode JSON without losing a digit: fractions become `Decimal`, all of them finite.

    Raises:
        TransientError: If the body is not JSON.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:  # the standard library also reads half surrogate pairs and a byte order mark
        return json.loads(body, parse_float=exact_number, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        kind = "HTML" if body.lstrip()[:1] == b"<" else "something that is not JSON"
        msg = f"answered with {kind if body else 'an empty body'} ({len(body)} bytes)"
        raise TransientError(msg) from None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        wait = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(wait, 0.0)


def reason(body: Any) -> str:
    """Return what a decoded body says about an error, as a short part of a sentence."""
    for name in ("message", "error", "errors", "error_description"):
        if isinstance(body, dict) and body.get(name):
            text = (
                body[name] if isinstance(body[name], str) else json.dumps(body[name], default=str)
            )
            return f": {text[:_EXCERPT]}"
    return ""


def _said(answer: Answer) -> str:
    try:
        return reason(answer.json)
    except TransientError:
        return ""


def judge(answer: Answer, policy: RetryPolicy) -> None:
    """Let a good answer pass; its body may still be anything.

    Raises:
        TransientError: If another attempt may help.
        Denied: If the key was refused.
        Gone: If there is no such object.
        ReadError: If the answer is wrong for good.
    """
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    failure = _failure(answer, policy)
    failure.status = status
    raise failure


def _failure(answer: Answer, policy: RetryPolicy) -> ReadError:
    status = answer.status
    said = f"answered {status}{_said(answer)}"
    if _EXPIRED in answer.body and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.NOT_FOUND:
        msg = f"{said} (the token is invalid or has expired)"
        return Denied(msg)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Denied(said)
    if status == HTTPStatus.NOT_FOUND:
        return Gone(said)
    passing = status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if passing or status in policy.statuses:
        wait = _retry_after(answer.headers)
        return TransientError(said, throttled=status in THROTTLED or wait is not None, wait=wait)
    return ReadError(said)
