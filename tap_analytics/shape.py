"""``--test=shape``: what the answers of an API look like, without anything that they say.

The report may go to a stranger. So it is made of words of this package alone: nothing of an
answer is ever copied into it. A name is written only if it stands in the package's own schemas
or in the list of usual words below, for a name may be data as well (a custom field, the keys of
a free-form object, an id); of other names only the number and the types are told.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.http.answers import is_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_analytics.engine.http.answers import Answer
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
_USUAL = frozenset(_USUAL_NAMES.split())
_DEEPEST = 3
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


@dataclass
class _Place:
    """What was seen at one place of the records.

    Attributes:
        there: How many objects had it.
        could: How many objects could have had it.
        kinds: What stood there.
    """

    there: int = 0
    could: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def line(self, path: str) -> str:
        if not self.there:
            return f"{path}: never there"
        nulls = self.kinds["null"]
        empty = {0: "", self.there: "; always null"}.get(nulls, "; sometimes null")
        names = ", ".join(sorted(name for name in self.kinds if name != "null"))
        always = "always" if self.there == self.could else "sometimes"
        return f"{path}: {always}{'; ' * bool(names)}{names}{empty}"


@dataclass
class Shape:
    """The shape of a stream's answers.

    Attributes:
        stream: The stream.
        account: Which of several accounts it is of, counted from 1; never its name.
        words: Names that may be written.
    """

    stream: AnalyticsStream
    account: int | None
    words: frozenset[str]
    _answers: Counter[str] = field(default_factory=Counter)
    _signals: dict[str, None] = field(default_factory=dict)
    _places: dict[str, _Place] = field(default_factory=dict)
    _strange: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def hear(self, answer: Answer) -> None:
        """Take the shape of an answer, good or bad."""
        try:
            body = answer.json()
        except ReadError:
            what = (
                "HTML"
                if is_html(answer.content)
                else "nothing"
                if not answer.content
                else "no JSON"
            )
            self._answers[f"{answer.status_code}, {what}"] += 1
        else:
            self._answers[f"{answer.status_code}, JSON: {self._envelope(body)}"] += 1
            if answer.status_code < 300:  # noqa: PLR2004
                self._list(body, answer)
        self._signals.update(dict.fromkeys(_announced(answer.headers)))

    def _envelope(self, body: Any, depth: int = 0) -> str:
        """Return a body without its records: the names that are known, and how many are not."""
        if not isinstance(body, dict) or depth == _DEEPEST or not body:
            return kind(body)
        named = [name for name in body if name in _USUAL or name in self._steps]
        parts = [f"{name} {self._envelope(body[name], depth + 1)}" for name in named]
        if len(named) < len(body):
            parts.append(f"{_several(len(body) - len(named))} more")
        return f"{{{', '.join(parts)}}}"

    @property
    def _steps(self) -> set[str]:
        """The names that lead to what the stream looks for in a body."""
        pages = self.stream.paginator_class
        paths = (pages.total_path, pages.pages_path, pages.more_path, pages.next_path)
        steps = {name for path in paths for name in path}
        return steps | set(re.findall(r"\w+", self.stream.records_jsonpath))

    def _list(self, body: Any, answer: Answer) -> None:
        try:
            page = self.stream.read_page(answer)
        except ReadError:
            self._signals["no records where they should be"] = None
            return
        paginator = self.stream.get_new_paginator()
        for line in _paging(page.rows, paginator, self.stream.unwrap(body), answer.headers):
            self._signals[line] = None
        for record in page.records:
            self._object(record, self.stream.schema, "")

    def _object(self, value: dict[str, Any], schema: Mapping[str, Any], path: str) -> None:
        properties = schema.get("properties")
        if not properties:
            return
        for name, part in properties.items():
            place = self._places.setdefault(path + name, _Place())
            place.could += 1
            if name in value:
                place.there += 1
                self._value(value[name], part, path + name)
        strange = self._strange.setdefault(path, {})
        for name in value.keys() - properties.keys():
            strange.setdefault(name, set()).add(kind(value[name]))

    def _value(self, value: Any, schema: Mapping[str, Any], path: str) -> None:
        self._places[path].kinds[kind(value)] += 1
        if isinstance(value, dict):
            self._object(value, schema, f"{path}.")
        elif isinstance(value, list) and isinstance(schema.get("items"), dict):
            inner = f"{path}[]"
            place = self._places.setdefault(inner, _Place())
            for item in value:
                place.there, place.could = place.there + 1, place.could + 1
                self._value(item, schema["items"], inner)

    def lines(self) -> Iterator[str]:
        """Yield the report of the stream, line by line."""
        whose = "" if self.account is None else f", account {self.account}"
        yield f"{self.stream.name} ({self.stream.api.name}{whose}) {self.stream.path}"
        for answer, times in self._answers.items():
            yield f"  answered {answer}{f' ({times} times)' if times > 1 else ''}"
        if not self._answers:
            yield "  no answer"
        for signal in self._signals:
            yield f"  {signal}"
        own = set(self.stream.primary_keys)
        for path, place in self._places.items():
            if place.there or path not in own:  # keys that come from a parent or are made here
                yield f"    {place.line(path)}"
        for path, names in self._strange.items():
            if names:
                yield f"    {path}(not in the schema): {self._others(names)}"

    def _others(self, names: Mapping[str, set[str]]) -> str:
        known = sorted(names.keys() & (self.words | _USUAL))
        parts = [f"{name} ({', '.join(sorted(names[name]))})" for name in known]
        if rest := names.keys() - set(known):
            kinds = sorted({each for name in rest for each in names[name]})
            parts.append(f"{_several(len(rest))} of other names ({', '.join(kinds)})")
        return ", ".join(parts)


def _several(number: int) -> str:
    return str(number) if number <= _MANY else f"more than {_MANY}"


def _paging(
    rows: int, paginator: Paginator, body: Any, headers: Mapping[str, str]
) -> Iterator[str]:
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


def _announced(headers: Mapping[str, str]) -> Iterator[str]:
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


class Shapes:
    """The shapes of all streams that are asked."""

    def __init__(self, accounts: Iterable[str | None], words: frozenset[str]) -> None:
        """Take the accounts, in order, and the names that may be written."""
        self._accounts = list(accounts)
        self._words = words
        self._shapes: dict[tuple[str | None, str], Shape] = {}

    def of(self, stream: AnalyticsStream, account: str | None) -> Shape:
        """Return the shape of a stream of an account."""
        number = None if account is None else self._accounts.index(account) + 1
        new = Shape(stream, number, self._words)
        return self._shapes.setdefault((account, stream.name), new)

    def report(self, version: str) -> str:
        """Return the report, each stream once for each account.

        Args:
            version: The tap's.
        """
        head = (
            f"tap-analytics {version}: the shape of one page of each stream. It holds no value, "
            "name, id or key of the account, and can be shared."
        )
        shapes = sorted(self._shapes.values(), key=lambda shape: shape.account or 0)
        return "\n\n".join([head, *("\n".join(shape.lines()) for shape in shapes)]) + "\n"
