"""Days that were written for people, such as ``Wed Nov 05 2025`` or ``November 5, 2025``."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = tuple(
    re.compile(rf"(?:^|.*[\s,]){form}(?:\D.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
    for form in (
        rf"{_YEAR}-(?P<number>\d\d)-(?P<day>\d\d)",
        rf"{_MONTH}\s+{_DAY},?\s+{_YEAR}",
        rf"{_DAY}\s+{_MONTH},?\s+{_YEAR}",
    )
)


@lru_cache(maxsize=4096)
def _read(text: str) -> str | None:
    for form in _FORMS:
        if match := form.fullmatch(text):
            parts = match.groupdict()
            month = parts.get("number") or _MONTHS.index(parts["month"].lower()) + 1
            try:
                return date(int(parts["year"]), int(month), int(parts["day"])).isoformat()
            except ValueError:
                return None
    return None


def read_day(text: Any) -> str | None:
    """Return a day as ``YYYY-MM-DD``; None if it is not told, or in numbers of unknown order."""
    return _read(text) if isinstance(text, str) else None
