"""Keeping secrets out of everything that is written."""

from __future__ import annotations

import base64
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

_HIDDEN = "***"
_SHORTEST = 4
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


class Redactor(logging.Filter):
    """Hides known secrets, in plain, URL-encoded and base64 form, and user info of URLs."""

    def __init__(self) -> None:
        """Know no secret yet."""
        super().__init__()
        self._forms: list[str] = []

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these secrets from now on."""
        forms = set(self._forms)
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                raw = secret.encode(errors="surrogatepass")
                forms |= {secret, repr(secret)[1:-1], quote(raw, safe=""), quote_plus(raw)}
                forms |= {
                    base64.b64encode(raw).decode(),
                    base64.urlsafe_b64encode(raw).decode(),
                    base64.b64encode(raw).decode().rstrip("="),
                }
        self._forms = sorted(forms, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """Return the text with every secret hidden."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, _HIDDEN)
        return _USER_INFO.sub(f"{_HIDDEN}@", text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean a log record in place; it is always kept."""
        said = record.getMessage()
        if (clean := self.clean(said)) != said:  # the SDK's metrics are fields as long as they may
            record.msg = clean
            record.args = None
        if record.exc_info:
            formatter = logging.Formatter()
            record.exc_text = self.clean(formatter.formatException(record.exc_info))
            record.exc_info = None
        return True


redactor = Redactor()
