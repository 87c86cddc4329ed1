"""Numbers that look random and are the same on every machine and Python."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_WORD = (1 << 64) - 1


@lru_cache(maxsize=4096)
def seed(*parts: object, bits: int = 64) -> int:
    """A number of `bits` bits (whole bytes) for a name, such as a stream and a field."""
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=bits // 8).digest(), "big")


def mix(number: int) -> int:
    """Scatter a whole number over 64 bits (the last step of SplitMix64); one to one."""
    number = (number + 0x9E3779B97F4A7C15) & _WORD
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _WORD
    return number ^ (number >> 31)


class Draw:
    """A stream of choices that its seed decides."""

    def __init__(self, *parts: object) -> None:
        """Begin the choices that belong to `parts`."""
        self._state = seed(*parts)

    def below(self, limit: int) -> int:
        """A whole number from 0 up to, but not including, `limit`."""
        self._state = (self._state + 1) & _WORD
        return mix(self._state) % limit

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`."""
        return choices[self.below(len(choices))]
