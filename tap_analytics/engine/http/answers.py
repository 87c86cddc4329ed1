"""Judging an answer, once and in one place: status, size, JSON."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import requests
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from typing_extensions import override

from tap_analytics.engine.errors import Denied, Gone, ReadError, TransientError
from tap_analytics.engine.secrets import redactor
from tap_analytics.engine.values import times
from tap_analytics.engine.values.fitting import exact_number

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tap_analytics.engine.values.decoding import TypedPages

_EXCERPT = 200
_UNSAID = dict.fromkeys(("url", "reason", "request", "raw", "_next"))
_NO_TIME = timedelta()
_EXPIRED = b'"invalid_token"'
_TRANSIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_PROVISIONAL = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.PARTIAL_CONTENT})
"""Good, but the answer is still being made, or is a part of what was asked for."""
_TOO_LATE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT, 524})
THROTTLED = frozenset({420, HTTPStatus.TOO_MANY_REQUESTS})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN})
_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_SECONDS = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)


_decoder = msgspec.json.Decoder(float_hook=exact_number)


class Answer(requests.Response):
    """A response whose body is read and decompressed: what hooks of the SDK expect.

    Attributes:
        asked_at: When it was asked for, in seconds of the monotonic clock.
    """

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes, asked_at: float = 0.0
    ) -> None:
        """Take what came.

        Args:
            status: Its status.
            headers: Its headers, names in any case.
            body: Its whole body.
            asked_at: When it was asked for, in seconds of the monotonic clock.
        """
        # All that `super` would set, but for what takes half of its time and is not asked for.
        self.status_code = status
        self.headers = CaseInsensitiveDict(headers)
        vars(self).update(_UNSAID)
        self.history = []
        self.elapsed = _NO_TIME
        self.asked_at = asked_at
        self._content = body
        self._content_consumed = True

    @cached_property
    def cookies(self) -> RequestsCookieJar:  # type: ignore[override]
        """Cookies, of which none are kept."""
        return RequestsCookieJar()

    @cached_property
    def encoding(self) -> str | None:  # type: ignore[override]
        """What its text is encoded in, if that is said."""
        return get_encoding_from_headers(self.headers)

    @classmethod
    def of(cls, response: requests.Response) -> Answer:
        """Return any response as an answer."""
        if isinstance(response, cls):
            return response
        return cls(response.status_code, response.headers, response.content)

    @property
    def is_good(self) -> bool:
        """Whether its status says that it brings what was asked for."""
        status = self.status_code
        return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES and status not in _PROVISIONAL

    @override
    def json(self, **kwargs: Any) -> Any:
        """Return the body, decoded once without losing a digit: fractions are `Decimal`.

        Args:
            kwargs: For another way to decode, what `json.loads` takes.

        Raises:
            NotJson: If it is not JSON.
        """
        return super().json(**kwargs) if kwargs else self._decoded

    def decode_by(self, pages: TypedPages) -> None:
        """Have the body decoded into typed records, if it was not decoded yet and they fit."""
        if "_decoded" in vars(self):
            return
        body = pages.decode(self.content)
        if body is None:
            pages.learn(self._decoded)
        else:
            self._decoded = body

    @cached_property
    def _decoded(self) -> Any:
        return decode(self.content)

    @cached_property
    def served_at(self) -> int | None:
        """What the server's clock said, in microseconds since 1970; None if it did not say."""
        return _moment(self.headers.get("Date", ""))


@lru_cache(maxsize=16)
def _moment(date: str) -> int | None:
    """Return the date of a header, the same for all answers of a second; None if it is none."""
    try:
        return times.micros(parsedate_to_datetime(date).isoformat())
    except (ValueError, TypeError, OverflowError):
        return None


class NotJson(TransientError, ValueError):
    """A body that had to be JSON is something else."""


def decode(body: bytes) -> Any:
    """Decode JSON without losing a digit: fractions become `Decimal`, all of them finite.

    Raises:
        NotJson: If the body is not JSON.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:  # the standard library also reads half surrogate pairs and a byte order mark
        return json.loads(body, parse_float=exact_number, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        kind = "HTML" if is_html(body) else "something that is not JSON"
        msg = f"answered with {kind if body else 'an empty body'} ({len(body)} bytes)"
        raise NotJson(msg) from None


def is_html(body: bytes) -> bool:
    """Tell whether a body that is not JSON is a page for people."""
    return body.lstrip()[:1] == b"<"


def _retry_after(answer: Answer) -> float | None:
    """Return the seconds an answer tells to wait: a date counts from the server's own time."""
    text = answer.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    now = time.time() if answer.served_at is None else answer.served_at / 1e6
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def reason(body: Any) -> str:
    """Return what a decoded body says about an error, as a short part of a sentence."""
    for name in ("message", "error", "errors", "error_description"):
        if isinstance(body, dict) and body.get(name):
            text = (
                body[name] if isinstance(body[name], str) else json.dumps(body[name], default=str)
            )
            return f": {redactor.clean(text)[:_EXCERPT]}"
    return ""


def has_error(body: Any) -> bool:
    """Tell whether a decoded body of a good status says that something went wrong.

    Beside records this may be a mere part of the answer; where they are missing, or the body
    is meant to be one record itself, it means that there is none.
    """
    if not isinstance(body, dict):
        return False
    failed = any(body.get(name) is False for name in ("success", "ok"))
    return failed or bool(body.get("error") or body.get("errors"))


def reason_of(answer: Answer) -> str:
    """Return what an answer says about an error; nothing if its body is not JSON."""
    try:
        return reason(answer.json())
    except NotJson:
        return ""


def has_expired(answer: Answer) -> bool:
    """Tell whether an answer says that the token it was asked with is good no more."""
    is_refusal = HTTPStatus.BAD_REQUEST <= answer.status_code < HTTPStatus.NOT_FOUND
    return is_refusal and _EXPIRED in answer.content


def is_refused(answer: Answer) -> bool:
    """Tell whether an answer refuses the credentials, which others may mend."""
    return answer.status_code == HTTPStatus.UNAUTHORIZED or has_expired(answer)


def _is_the_apis(answer: Answer) -> bool:
    """Tell whether the API itself answered, and no proxy in front of it with a page."""
    if not answer.content.strip():
        return True
    try:
        answer.json()
    except NotJson:
        return False
    return True


def told(answer: Answer) -> str:
    """Return what an answer of a bad status says, as a short part of a sentence."""
    return f"answered {answer.status_code}{reason_of(answer)}"


def judge(answer: Answer, statuses: Collection[int] = (), said: str | None = None) -> None:
    """Let a good answer pass; its body may still be anything.

    Args:
        answer: The answer.
        statuses: Statuses after which another attempt may help, beside the server's failures.
        said: What to say of a bad one.

    Raises:
        TransientError: If another attempt may help.
        Denied: If the key was refused, or what is asked for was not bought.
        Gone: If the API itself says that there is no such object.
        ReadError: If the answer is wrong for good.
    """
    if answer.is_good:
        return
    raise _failure(answer, statuses, told(answer) if said is None else said)


def translated(error: FatalAPIError | RetriableAPIError, answer: Answer) -> ReadError:
    """Return in our words what a hook raised in the SDK's, and what the answer's status adds."""
    failure = _failure(answer, THROTTLED, str(error))
    if isinstance(error, RetriableAPIError) is not isinstance(failure, TransientError):
        kind = ReadError if isinstance(error, FatalAPIError) else TransientError
        failure = kind(str(error))
        failure.status = answer.status_code
    return failure


def _failure(answer: Answer, statuses: Collection[int], said: str) -> ReadError:
    """Return what to raise; who raises keeps no name of it, which would keep the answer, too."""
    failure = _kind_of_failure(answer, statuses, said)
    failure.status = answer.status_code
    return failure


def _kind_of_failure(answer: Answer, statuses: Collection[int], said: str) -> ReadError:
    status = answer.status_code
    if has_expired(answer):
        msg = f"{said} (the token is invalid or has expired)"
        return Denied(msg)
    wait = _retry_after(answer)
    if status == HTTPStatus.FORBIDDEN and wait is not None:
        return TransientError(said, throttled=True, wait=wait)
    if status in _REFUSED:
        return Denied(said)
    if status in _ABSENT and _is_the_apis(answer):
        return Gone(said)
    if status in _ABSENT:
        said += " with something that is not JSON: a proxy's word, or a wrong base URL"
    if status in _PROVISIONAL:
        said += ", which does not bring all that was asked for"
    passing = status in _TRANSIENT | _PROVISIONAL or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if passing or status in statuses:
        throttled = status in THROTTLED or wait is not None
        return TransientError(said, throttled=throttled, wait=wait, is_late=status in _TOO_LATE)
    return ReadError(said)
