"""Which rows of a list requests chose lately, so that page after page need not look again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tap_analytics.sandbox.contract import Choice
    from tap_analytics.sandbox.data.rows import ServedRows

_MOST = 64


class Picks:
    """The indexes that were chosen last, for one revision of the data."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._held: OrderedDict[Hashable, list[int]] = OrderedDict()
        self._revision = -1

    def find(
        self, revision: int, target: Hashable, listing: ServedRows, choice: Choice
    ) -> list[int]:
        """The indexes of the rows that `choice` makes of a list, known as `target`."""
        if revision != self._revision:
            self._held.clear()
            self._revision = revision
        if target not in self._held:
            self._held[target] = pick(listing, choice)
            if len(self._held) > _MOST:
                self._held.popitem(last=False)
        self._held.move_to_end(target)
        return self._held[target]


def pick(listing: ServedRows, choice: Choice) -> list[int]:
    """The indexes of the rows that are chosen, in the order that is chosen."""
    found: list[tuple[object, int]] = []
    for index, json in listing:
        row = msgspec.json.decode(json)
        if choice.keep is None or choice.keep(row):
            found.append((choice.order(row) if choice.order else 0, index))
    if choice.order:
        found.sort(reverse=choice.descending)
    return [index for _, index in found]
