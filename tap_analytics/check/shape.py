"""``--test=shape``: what the answers of an API look like, without anything that they say.

The report may go to a stranger. So it is made of words of this package alone: nothing of an
answer is ever copied into it. A name is written only if it stands in the package's own schemas
or in the list of usual words, for a name may be data as well (a custom field, the keys of
a free-form object, an id); of other names only the number and the types are told.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_analytics.check.words import USUAL, announced, kind, paging, several
from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.http.answers import is_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_analytics.engine.http.answers import Answer
    from tap_analytics.engine.stream import AnalyticsStream

_DEEPEST = 3
_SUCCESS = range(200, 300)


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
            if answer.status_code in _SUCCESS:
                self._list(body, answer)
        self._signals.update(dict.fromkeys(announced(answer.headers)))

    def _envelope(self, body: Any, depth: int = 0) -> str:
        """Return a body without its records: the names that are known, and how many are not."""
        if not isinstance(body, dict) or depth == _DEEPEST or not body:
            return kind(body)
        named = [name for name in body if name in USUAL or name in self._steps]
        parts = [f"{name} {self._envelope(body[name], depth + 1)}" for name in named]
        if len(named) < len(body):
            parts.append(f"{several(len(body) - len(named))} more")
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
        for line in paging(page.rows, paginator, self.stream.unwrap(body), answer.headers):
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
        known = sorted(names.keys() & (self.words | USUAL))
        parts = [f"{name} ({', '.join(sorted(names[name]))})" for name in known]
        if rest := names.keys() - set(known):
            kinds = sorted({each for name in rest for each in names[name]})
            parts.append(f"{several(len(rest))} of other names ({', '.join(kinds)})")
        return ", ".join(parts)


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
