"""Values that a pattern holds: the same in every row made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tap_analytics.sandbox.data import moments
from tap_analytics.sandbox.data.text import LEXICON

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.data.draws import Draw

_OBJECTS: tuple[dict[str, object], ...] = (
    {"plan": "pro", "seats": 12, "trial": False},
    {},
    {"nested": {"list": [1, 2.5, None, "três"], "empty": {}}, "quote": '"'},
    {"big": 9007199254740993, "ratio": 0.1, "emoji 🔑": "✓"},
)
_SPARSE: tuple[object, ...] = ([], {"id": "a1", "count": 2})
_ANYTHING: tuple[object, ...] = ("text", 7, 2.5, True, {"a": 1}, ["x", "y"])


def _span(rest: str) -> tuple[int, int]:
    least, most = rest.split()
    return int(least), int(most)


def _int(rest: str, draw: Draw) -> int:
    least, most = _span(rest)
    return least + draw.below(most - least + 1)


def _number(rest: str, draw: Draw) -> float:
    least, most = _span(rest)
    return least + draw.below((most - least) * 100 + 1) / 100


def _digits(_: str, draw: Draw) -> str:
    """An opaque id that looks like a number; many are above what a float can hold."""
    return str(draw.below(10**17))


def _hex(rest: str, draw: Draw) -> str:
    return "".join(draw.pick("0123456789abcdef") for _ in range(int(rest)))


def _time(rest: str, draw: Draw) -> msgspec.Raw:
    return msgspec.Raw(moments.FORMATS[rest](moments.changed(draw.below(1 << 62), 0)))


MAKERS: dict[str, Callable[[str, Draw], object]] = {
    "bool": lambda _, draw: draw.below(2) == 1,
    "int": _int,
    "number": _number,
    "money": lambda _, draw: f"{draw.below(10_000_000) / 100:.2f}",
    "wide": lambda _, draw: (1 << 53) + 1 + draw.below(1 << 40),
    "digits": _digits,
    "hex": _hex,
    "word": lambda rest, draw: draw.pick(rest.split("|")),
    "time": _time,
    "date": lambda _, draw: _time("date", draw),
    "json": lambda _, draw: msgspec.json.encode(draw.pick(_OBJECTS)).decode(),
    "object": lambda _, draw: draw.pick(_OBJECTS),
    "sparse": lambda _, draw: draw.pick(_SPARSE),
    "anything": lambda _, draw: draw.pick(_ANYTHING),
}
"""What makes a value, by the first word of its kind; the words after it are arguments."""


def value(kind: str, draw: Draw) -> object:
    """A value of `kind`, ready for JSON.

    Raises:
        KeyError: No such kind.
    """
    name, _, rest = kind.partition(" ")
    if name in LEXICON:
        return draw.pick(LEXICON[name])
    return MAKERS[name](rest, draw)
