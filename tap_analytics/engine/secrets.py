"""Keeping secrets out of everything that is written."""

from __future__ import annotations

import base64
import html
import logging
import os
import re
from functools import cache, cached_property
from html.entities import codepoint2name
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_HIDDEN = "***"
_SHORTEST = 4
_SHORTEST_CORE = 6
_USER_INFO = re.compile(r"(?<=://)(?:[^/@:\s]+:\S*|[^/@\s]+)@(?=[\w.\[-])")
_NEXT_TO_BASE64 = "[A-Za-z0-9+/_%=-]*"


@cache
def _character(char: str) -> str:
    """Return a pattern for one character in every way that programs write it."""
    if char.isascii() and char.isalnum():
        return char
    raw = char.encode(errors="surrogatepass")
    units = char.encode("utf-16-be", errors="surrogatepass")
    pairs = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    forms = [
        re.escape(char),
        "".join(rf"%(?:25)*{byte:02x}" for byte in raw),
        "".join(rf"\\+u{pair}" for pair in pairs),
        "".join(rf"\\+x{byte:02x}" for byte in raw),
        rf"&(?:amp;)*#0*{ord(char)};",
        rf"&(?:amp;)*#x0*{ord(char):x};",
        re.escape(html.escape(char)),
        rf"\\+{re.escape(char)}",
        re.escape(repr(char)[1:-1]),
    ]
    if ord(char) in codepoint2name:
        forms.append(f"&(?:amp;)*{codepoint2name[ord(char)]};")
    if char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(sorted(set(forms), key=len, reverse=True))})"


def _text(text: str) -> str:
    return "".join(map(_character, text))


def _base64(raw: bytes) -> Iterator[str]:
    """Yield patterns for what base64 makes of a secret, wherever in a text it stands."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        core = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        if len(core) >= _SHORTEST_CORE:
            pattern = "".join(
                {"+": f"(?:{_character('+')}|-)", "/": f"(?:{_character('/')}|_)"}.get(char, char)
                for char in core
            )
            yield f"{_NEXT_TO_BASE64}{pattern}{_NEXT_TO_BASE64}"


class Redactor:
    """Hides known secrets, in every form that programs write them in, and user info of URLs."""

    def __init__(self) -> None:
        """Know no secret yet."""
        self._secrets: set[str] = set()

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these secrets from now on."""
        self._secrets |= {secret for secret in secrets if len(secret) >= _SHORTEST}
        self.__dict__.pop("_patterns", None)

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        forms = set[str]()
        for secret in self._secrets:
            raw = secret.encode(errors="surrogatepass")
            forms |= {_text(secret), raw.hex()}
            if len(raw) * 8 // 6 < _SHORTEST_CORE:
                forms.add(re.escape(base64.b64encode(raw).decode().rstrip("=")) + "=*")
            forms.update(_base64(raw))
        return [re.compile(form, re.IGNORECASE) for form in sorted(forms, key=len, reverse=True)]

    def clean(self, text: str) -> str:
        """Return the text with every secret hidden."""
        for pattern in self._patterns:
            text = pattern.sub(_HIDDEN, text)
        return _USER_INFO.sub(f"{_HIDDEN}@", text)

    def clean_record(self, record: logging.LogRecord) -> logging.LogRecord:
        """Clean a log record in place; one without a secret stays as it is, fields and all."""
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - whoever logs is not to fail for it
            said = f"{record.msg} {record.args!r}"
            record.msg, record.args = said, None
        if (clean := self.clean(said)) != said:
            record.msg, record.args = clean, None
        if record.exc_info and record.exc_info[0]:
            trace = logging.Formatter().formatException(record.exc_info)
            if (clean := self.clean(trace)) != trace:
                record.exc_text, record.exc_info = clean, None
        if record.stack_info:
            record.stack_info = self.clean(record.stack_info)
        return record

    def guard(self) -> None:
        """Clean every log record where it is made, whichever logger and handler it is for."""
        factory = logging.getLogRecordFactory()
        if isinstance(factory, _Factory) and factory.redactor is self:
            return
        self.add(_proxy_credentials(os.environ))
        logging.setLogRecordFactory(_Factory(self, factory))


class _Factory:
    """Makes log records without secrets."""

    def __init__(self, redactor: Redactor, make: Callable[..., logging.LogRecord]) -> None:
        self.redactor = redactor
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        return self.redactor.clean_record(self._make(*args, **kwargs))


def _proxy_credentials(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what stands before the host in the environment's proxies, whole and the password."""
    for name, value in environment.items():
        if name.lower().endswith("_proxy") and name.lower() != "no_proxy" and "@" in value:
            user_info = value.rpartition("@")[0].rpartition("://")[2]
            for form in (user_info, unquote(user_info)):
                yield form
                yield form.partition(":")[2]


redactor = Redactor()
