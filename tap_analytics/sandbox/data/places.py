"""Where a list stands: one number for the row it is below, and for all rows above that one.

The row at an index of a list that stands at a place has a place of its own. In a list that is
below no other it is the index.
"""

from __future__ import annotations

_APART = 1 << 32
"""More than any list has rows."""


def below(place: int, index: int) -> int:
    """The place of what is below the row at `index` of the list at `place`."""
    return place * _APART + index


def above(place: int) -> tuple[int, int]:
    """The place of the list, and the index of its row, that something at `place` is below."""
    return divmod(place, _APART)
