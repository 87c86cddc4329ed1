"""The signals that end a fleet: at the first one in order, at the second at once."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_BY_SIGNAL = 128


class Told:
    """Whether the run was told to end.

    Attributes:
        status: The exit status that says so; None if nobody has.
    """

    def __init__(self) -> None:
        """Start without a signal."""
        self.status: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals while the block runs."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._take) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, _: FrameType | None) -> None:
        if self.status is not None:
            os._exit(_BY_SIGNAL + number)
        self.status = _BY_SIGNAL + number
