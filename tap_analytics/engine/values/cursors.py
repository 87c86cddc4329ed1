"""Replication keys of different kinds, compared as microseconds since 1970."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from typing_extensions import override

from tap_analytics.engine.values import times

_DIGITS = 30
FIRST = -(1 << 62)
"""Order of rows without a replication key: before all others."""


class Window(NamedTuple):
    """The replication keys a list is read for, both ends included, as microseconds since 1970."""

    since: int = FIRST
    until: int = -FIRST


class Cursor:
    """How one kind of replication key is read, compared and written to state."""

    def order(self, value: Any) -> int:
        """Return the value as microseconds since 1970.

        Raises:
            ValueError: If the value is not of this kind.
        """
        raise NotImplementedError

    def orders(self, values: list[Any]) -> list[int]:
        """Return many values as microseconds since 1970, and `FIRST` for None.

        Raises:
            ValueError: If one of them is not of this kind, or not of its usual form.
        """
        return [FIRST if value is None else self.order(value) for value in values]

    def value(self, moment: int) -> str | int:
        """Return the value of this kind that stands for a moment (microseconds since 1970)."""
        raise NotImplementedError


class Day(Cursor):
    """Calendar days, such as ``2026-01-31``."""

    @override
    def order(self, value: Any) -> int:
        if not isinstance(value, str):
            msg = "not a text"
            raise ValueError(msg)  # noqa: TRY004
        return times.micros(value)

    @override
    def value(self, moment: int) -> str:
        return times.day(moment)


class IsoTime(Day):
    """ISO 8601 date-times, such as ``2026-01-31T09:00:00Z``."""

    @override
    def orders(self, values: list[Any]) -> list[int]:
        return times.all_micros(values, FIRST)

    @override
    def value(self, moment: int) -> str:
        return times.iso(moment)


class Epoch(Cursor):
    """Whole numbers since 1970, in units of so many microseconds, as numbers or as text."""

    unit: int
    text = False

    @override
    def order(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
            msg = "not a number"
            raise ValueError(msg)  # noqa: TRY004
        if isinstance(value, Decimal) and not (value.is_finite() and value.adjusted() < _DIGITS):
            msg = "no number of this world"
            raise ValueError(msg)
        return int(value) * self.unit

    @override
    def value(self, moment: int) -> str | int:
        units = moment // self.unit
        return str(units) if self.text else units


class EpochMilliseconds(Epoch):
    """Milliseconds since 1970."""

    unit = 1_000


class EpochSeconds(Epoch):
    """Seconds since 1970."""

    unit = 1_000_000


class EpochSecondsText(EpochSeconds):
    """Seconds since 1970, written as text."""

    text = True
