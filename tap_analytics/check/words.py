"""The words that a report for strangers is made of: kinds of values, forms and signals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.stream import AnalyticsStream

_USUAL_NAMES = (
    "code count current_page cursor data detail details end_cursor error error_code "
    "error_description errors first has_more has_next has_next_page has_previous_page items "
    "itemsPerPage last limit limits link links login message meta msg next nextPage next_page "
    "next_url offset page pageNumber page_info pageInfo paging pagination per_page prev "
    "previous previousPage records result results start_cursor status statusCode success "
    "total totalItems totalPages total_count total_entries total_pages type"
)
USUAL = frozenset(_USUAL_NAMES.split())
_MANY = 20
_LARGEST_LIMIT = 1_000_000
_EPOCH = 1e9
_LONGEST_FORM = 64
_SAFE_INTEGER = 2**53
_TEXTS = (
    ("date", re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)),
    (
        "date-time",
        re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*(?:Z|[+-]\d\d:?\d\d| UTC)\Z", re.ASCII),
    ),
    ("date-time without zone", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*\Z", re.ASCII)),
    ("number as text", re.compile(r"[+-]?\d+(?:\.\d+)?\Z", re.ASCII)),
    ("boolean as text", re.compile(r"(?:true|false)\Z", re.IGNORECASE)),
)
_LIMITS = ("RateLimit", "X-RateLimit", "X-Rate-Limit")


def vocabulary(streams: Iterable[AnalyticsStream]) -> frozenset[str]:
    """Return the names that the schemas of streams have, at any depth."""
    found: set[str] = set()

    def walk(schema: Mapping[str, Any]) -> None:
        properties = schema.get("properties") or {}
        found.update(properties)
        for part in properties.values():
            walk(part)
        if isinstance(schema.get("items"), dict):
            walk(schema["items"])

    for stream in streams:
        walk(stream.schema)
    return frozenset(found)


def kind(value: Any) -> str:
    """Return what a value is, in words that tell nothing of it."""
    if isinstance(value, str):
        return _kind_of_text(value)
    if isinstance(value, (list, dict)):
        name = "array" if isinstance(value, list) else "object"
        return name if value else f"empty {name}"
    if isinstance(value, int) and not isinstance(value, bool):
        return "integer" if abs(value) < _SAFE_INTEGER else "integer beyond 2^53"
    return "null" if value is None else "boolean" if isinstance(value, bool) else "number"


def _kind_of_text(text: str) -> str:
    if not text or len(text) > _LONGEST_FORM:
        return "text" if text else "empty text"
    return next((name for name, form in _TEXTS if form.match(text)), "text")


def several(number: int) -> str:
    """Return a number, unless it is so large that it tells something."""
    return str(number) if number <= _MANY else f"more than {_MANY}"


def paging(rows: int, paginator: Paginator, body: Any, headers: Mapping[str, str]) -> Iterator[str]:
    """Yield what a page says about its list, in relation to itself alone."""
    amount = "no rows" if not rows else "one row" if rows == 1 else "several rows"
    if rows >= paginator.page_size and not paginator.single:
        amount = "as many rows as were asked for"
    yield f"page: {amount}"
    said = paginator.signals(body, headers)
    if said.total is not None:
        than = "equal to" if said.total == rows else "above" if said.total > rows else "below"
        yield f"total: {than} the rows of the page"
    if said.pages is not None:
        yield f"pages: {'several' if said.pages > 1 else 'one or none'}"
    if said.more is not None:
        yield f"more: {'yes' if said.more else 'no'}"
    if said.next is not None:
        yield "next: there"


def announced(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield what is known by name among headers, and in which form it comes."""
    for name in ("Retry-After", "Link", "RateLimit"):
        if name in headers:
            yield f"header {name}: {_form(headers[name])}"
    for prefix in _LIMITS:
        for what in ("Limit", "Remaining", "Reset"):
            name = f"{prefix}-{what}"
            if name in headers:
                text = headers[name].strip()
                is_plain = what == "Limit" and text.isascii() and text.isdigit() and len(text) < 8  # noqa: PLR2004
                is_limit = is_plain and int(text) <= _LARGEST_LIMIT
                yield f"header {name}: {int(text) if is_limit else _form(text)}"


def _form(text: str) -> str:
    try:
        return "seconds since 1970" if float(text) >= _EPOCH else "a number"
    except ValueError:
        return "a text"
