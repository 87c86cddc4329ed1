"""Why there is no answer, in one plain line."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING

import requests
from urllib3 import exceptions

from tap_analytics.engine.http.dial import Unreachable
from tap_analytics.engine.secrets import redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

TROUBLE = (
    requests.RequestException,
    exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
    AttributeError,
)
"""What sending a request and reading its answer may raise."""
_EXCERPT = 200
_DEEPEST = 20


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came of, in whatever way the libraries keep it."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _DEEPEST:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        parts = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting.extend(part for part in parts if isinstance(part, BaseException))


def is_timeout(error: BaseException) -> bool:
    """Tell whether a wait had come to its end."""
    kinds = (TimeoutError, exceptions.TimeoutError)
    return any(isinstance(cause, kinds) for cause in _causes(error))


def plain_cause(error: BaseException, host: str, *, is_late: bool = False) -> str | None:
    """Return why a host could not be spoken with at all, uncut; None if that is not it.

    Args:
        error: What sending a request raised.
        host: The host of the request.
        is_late: Whether we shut the connection, which breaks whatever it was doing.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, Unreachable):
            return str(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate of {host} is not trusted: {cause.verify_message}"
    for cause in () if is_late else causes:
        if isinstance(cause, ssl.SSLError):
            why = (cause.reason or "unknown reason").replace("_", " ").lower()
            return f"no secure connection with {host}: {why}"
        if isinstance(cause, exceptions.ProxyError):
            inner = next((str(c) for c in causes if type(c) is OSError), "it did not answer")
            return f"the proxy does not let {host} through: {inner}"
    return None


def in_words(error: BaseException) -> str:
    """Return what broke an exchange, as a short part of a sentence."""
    for cause in _causes(error):
        if isinstance(cause, http.client.RemoteDisconnected):
            return "the connection was closed without one"
        if isinstance(cause, ConnectionResetError):
            return "the connection was reset"
        if isinstance(cause, exceptions.DecodeError):
            return "its compression is broken"
        if isinstance(cause, (exceptions.IncompleteRead, http.client.IncompleteRead)):
            return "it broke off"
    return f"{type(error).__name__}: {redactor.clean(str(error))[:_EXCERPT]}"
