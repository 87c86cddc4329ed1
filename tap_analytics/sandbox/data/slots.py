"""What differs from row to row: keys, times, names, and the ties between streams."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import msgspec

from tap_analytics.sandbox.data import moments, places
from tap_analytics.sandbox.data.draws import mix, seed
from tap_analytics.sandbox.data.text import EVENTS, METRIC_TYPES, UNITS, title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_analytics.sandbox.data.patterns import Slot

WIDE = (1 << 53) + 1
"""The first of the ids that a float cannot hold."""

EVENT_NAMES = tuple(msgspec.json.encode(name) for name in EVENTS)

_METRIC_TYPES = tuple(msgspec.json.encode(name) for name in METRIC_TYPES)
_UNITS = tuple(msgspec.json.encode(name) for name in UNITS)
_IDS = 13
_APART = 1009


class Streams(Protocol):
    """What slots ask about other streams."""

    def size(self, stream: str) -> int:
        """How many rows a list without parents has."""

    def children(self, stream: str, parent: int) -> int:
        """How many rows of `stream` the parent at index `parent` has."""

    def row(self, stream: str, index: int, parent: int = 0) -> bytes:
        """The JSON of one row."""

    def slot(self, stream: str, column: str = "") -> Slot:
        """The slot that fills a column of `stream`, or its key."""

    def parent(self, stream: str) -> str:
        """The stream whose keys stand in the path of `stream`."""

    def is_below(self, stream: str) -> bool:
        """Whether `stream` has a list for each row of its parent."""


def event_at(index: int) -> int:
    """Which of the event names row `index` of the events carries."""
    return index * 5 % len(EVENTS)


_SLUGS: tuple[bytes, ...] = (
    *(b'"%b_%d"',) * 5,
    b'"%b %d/v2"',
    b'"%b_%d"',
    b'"%b-%d?beta=1"',
    *(b'"%b_%d"',) * 3,
    '"%b_%d_ünï"'.encode(),
    b'"%b_%d#50%%"',
)


def slug(word: bytes, index: int) -> bytes:
    """The id of row `index` as JSON; some have characters that a path must encode."""
    return _SLUGS[index % len(_SLUGS)] % (word, index)


def index_of(stream: str, kind: str, text: str) -> int:
    """The only row of `stream` that could have `text` in a slot of `kind`; -1 if none could."""
    name, _, argument = kind.partition(" ")
    if name == "hex":
        return _hex_index(stream, int(argument), text)
    number = re.search(r"[0-9]+", text)
    if not number:
        return -1
    if name == "wide":
        return (int(number[0]) - WIDE) // 2
    return int(number[0]) - (int(argument) if name in {"serial", "digits"} else 0)


def _updated(_: Streams, stream: str, argument: str) -> Slot:
    form, salt = moments.FORMATS[argument], seed(stream, "changed")
    return lambda index, parent: form(moments.changed(salt, index + parent * _APART))


def _created(_: Streams, stream: str, argument: str) -> Slot:
    form, salt = moments.FORMATS[argument], seed(stream, "changed")
    return lambda index, parent: form(moments.created(salt, index + parent * _APART))


def _version_time(streams: Streams, stream: str, argument: str) -> Slot:
    """The newest version bears its parent's time, each older one an hour less."""
    form, salt = moments.FORMATS[argument], seed(streams.parent(stream), "changed")

    def slot(index: int, parent: int) -> bytes:
        older = streams.children(stream, parent) - 1 - index
        return form(moments.changed(salt, parent) - older * moments.HOUR)

    return slot


def _serial(_: Streams, __: str, argument: str) -> Slot:
    first = int(argument)
    return lambda index, _: b"%d" % (first + index)


def _apart(_: Streams, __: str, argument: str) -> Slot:
    """Numbers that no two rows share, whoever their parents are."""
    first = int(argument)
    return lambda index, parent: b"%d" % (first + parent * _APART + index)


def _upward(streams: Streams, stream: str, _: str) -> Slot:
    """In every third row the key of the one before, below which it is in a tree; else null."""
    key = streams.slot(stream)
    return lambda index, _: key(index - 1, 0) if index % 3 == 2 else b"null"  # noqa: PLR2004


def _digits(_: Streams, __: str, argument: str) -> Slot:
    first = int(argument)
    return lambda index, _: b'"%d"' % (first + index)


def _nth(_: Streams, __: str, argument: str) -> Slot:
    words = [msgspec.json.encode(word) for word in argument.split("|")]
    return lambda index, _: words[index % len(words)]


def _code(_: Streams, __: str, argument: str) -> Slot:
    word = argument.encode()
    return lambda index, _: b'"%b%06d"' % (word, index)


def _slug(_: Streams, __: str, argument: str) -> Slot:
    word = argument.encode()
    return lambda index, _: slug(word, index)


def _title(_: Streams, __: str, argument: str) -> Slot:
    word = argument.encode()
    return lambda index, _: title(word, index)


def _hex(_: Streams, stream: str, argument: str) -> Slot:
    digits = int(argument)
    factor, first = _hex_steps(stream, digits)
    return lambda index, _: b'"%0*x"' % (digits, (index * factor + first) % (1 << 4 * digits))


def _own(_: Streams, stream: str, argument: str) -> Slot:
    """An id of so many digits that no other row has, whatever it is below."""
    digits, salt = int(argument), seed(stream, "own")

    def slot(index: int, parent: int) -> bytes:
        text = b"%016x%016x" % (mix(salt + parent), mix(salt ^ mix(index + 1) ^ parent))
        return b'"%b"' % text[:digits]

    return slot


def _hex_steps(stream: str, digits: int) -> tuple[int, int]:
    """How far apart the ids of `stream` are, and the first of them."""
    # An odd factor loses nothing below a power of two, so no id comes twice.
    return seed(stream, "factor", bits=4 * digits) | 1, seed(stream, "first", bits=4 * digits)


def _hex_index(stream: str, digits: int, text: str) -> int:
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", text):
        return -1
    factor, first = _hex_steps(stream, digits)
    every = 1 << 4 * digits
    return (int(text, 16) - first) * pow(factor, -1, every) % every


def _uuid(_: Streams, stream: str, __: str) -> Slot:
    salt = seed(stream, "uuid")

    def slot(index: int, _: int) -> bytes:
        low, high = mix(salt + index), mix(salt ^ index)
        return b'"%08x-%04x-4%03x-a%03x-%012x"' % (
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFF,
            low >> 52,
            low & 0xFFFFFFFFFFFF,
        )

    return slot


def _email(index: int, _: int) -> bytes:
    if index % 9 == 4:  # noqa: PLR2004
        return b'"o\'brien+%d@example.org"' % index
    return b'"user%d@example.com"' % index


def _ref(streams: Streams, stream: str, argument: str) -> Slot:
    """The key, or the column after a dot, of some row of another stream; null if it has none.

    Where both are below the same row, perhaps with others between, it is a row below that one.
    """
    target, _, column = argument.partition(".")
    key = streams.slot(target, column)
    if not streams.is_below(target):
        size = streams.size(target)
        return lambda index, _: key((index * 7 + 3) % size, 0) if size else b"null"

    def slot(index: int, parent: int) -> bytes:
        for place in _lists(streams, stream, target, index, parent):
            if below := streams.children(target, place):
                return key((index * 7 + 3) % below, place)
        return b"null"

    return slot


def _at(streams: Streams, _: str, argument: str) -> Slot:
    """The key, or the column after a dot, of the row at the same place of another stream."""
    target, _, column = argument.partition(".")
    return streams.slot(target, column)


def choices(streams: Streams, stream: str, parent: int, target: str) -> int:
    """How many rows of `target` those below `parent` can point to; it may name a column."""
    target, _, _ = target.partition(".")
    if not streams.is_below(target):
        return streams.size(target)
    return streams.children(target, next(_lists(streams, stream, target, 0, parent), 0))


def _lists(streams: Streams, stream: str, target: str, index: int, parent: int) -> Iterator[int]:
    """The places of the lists of `target` that a row may point to a row of."""
    wanted = streams.parent(target)
    name, place = stream, parent
    while streams.is_below(name):
        name = streams.parent(name)
        if name == wanted:
            yield place
            return
        place, _ = places.above(place)
    size = streams.size(wanted)
    yield from ((index + n) % size for n in range(size))


def _up(streams: Streams, stream: str, argument: str) -> Slot:
    """What the parent has in its own row."""
    slot = make(streams, streams.parent(stream), argument)

    def up(_: int, parent: int) -> bytes:
        place, index = places.above(parent)
        return slot(index, place)

    return up


def _array(rows: Iterable[bytes]) -> bytes:
    return b"[%b]" % b",".join(rows)


def _rows(streams: Streams, _: str, argument: str) -> Slot:
    """The children inside their parent's row."""

    def slot(index: int, parent: int) -> bytes:
        place = places.below(parent, index)
        return _array(
            streams.row(argument, n, place) for n in range(streams.children(argument, place))
        )

    return slot


def _first(streams: Streams, _: str, argument: str) -> Slot:
    """The key of the first of the children; null if there is none."""
    key = streams.slot(argument)

    def slot(index: int, parent: int) -> bytes:
        place = places.below(parent, index)
        return key(0, place) if streams.children(argument, place) else b"null"

    return slot


def _count(streams: Streams, _: str, argument: str) -> Slot:
    return lambda index, _: b"%d" % streams.children(argument, index)


def _ids(_: Streams, stream: str, __: str) -> Slot:
    salt = seed(stream, "ids")
    return lambda _, parent: _array(
        b'"user-%d"' % mix(salt + parent + n) for n in range(_id_count(parent))
    )


def _id_count(parent: int) -> int:
    return mix(parent) % _IDS


def _event_metric(index: int, parent: int, tail: bytes = b"") -> bytes:
    return EVENT_NAMES[parent][:-1] + b'_%d%b"' % (index, tail)


def _metric(index: int, _: int) -> bytes:
    return b'"metric %d"' % index if index % 5 == 2 else b'"metric_%d"' % index  # noqa: PLR2004


def _metric_type(index: int, _: int) -> bytes:
    return _METRIC_TYPES[index % len(_METRIC_TYPES)]


_SIMPLE: dict[str, Slot] = {
    "email": _email,
    "wide": lambda index, _: b"%d" % (WIDE + 2 * index),
    "number": lambda index, _: b"%d" % (index + 1),
    "rule": lambda index, _: b'"rule_%d"' % index,
    "recent": lambda index, _: moments.FORMATS["ms_text"](moments.recent(index)),
    "event": lambda index, _: EVENT_NAMES[event_at(index)],
    "parent_event": lambda _, parent: EVENT_NAMES[parent],
    "event_metric": _event_metric,
    "event_metric_id": lambda index, parent: _event_metric(index, parent, b"::event_count"),
    "metric": _metric,
    "metric_type": _metric_type,
    "metric_id": lambda index, _: _metric(index, 0)[:-1] + b"::" + _metric_type(index, 0)[1:],
    "unit": lambda index, _: _UNITS[index % len(_UNITS)],
    "amount": lambda index, parent: b"%.2f" % (mix(index * 1000 + parent) % 10_000_000 / 100),
    "ids_count": lambda _, parent: b"%d" % _id_count(parent),
}

_MAKERS: dict[str, Callable[[Streams, str, str], Slot]] = {
    "serial": _serial,
    "apart": _apart,
    "upward": _upward,
    "digits": _digits,
    "nth": _nth,
    "code": _code,
    "slug": _slug,
    "title": _title,
    "updated": _updated,
    "created": _created,
    "version_time": _version_time,
    "hex": _hex,
    "uuid": _uuid,
    "ref": _ref,
    "at": _at,
    "up": _up,
    "rows": _rows,
    "first": _first,
    "own": _own,
    "count": _count,
    "ids": _ids,
}


def make(streams: Streams, stream: str, kind: str) -> Slot:
    """The slot of a `kind` (its first word, then its argument) in the rows of `stream`.

    Raises:
        KeyError: No such kind.
    """
    name, _, argument = kind.partition(" ")
    if name in _SIMPLE:
        return _SIMPLE[name]
    return _MAKERS[name](streams, stream, argument)
