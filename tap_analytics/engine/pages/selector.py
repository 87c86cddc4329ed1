"""Finding the records in a decoded answer."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tap_analytics.engine.values.typed import TypedRecord

_NAME = re.compile(r"[\w-]+")


class Found(NamedTuple):
    """What a body holds.

    Attributes:
        records: Its records.
        is_object: Whether there is one object where a list has an array.
        items: What stands in its outermost array: the records, or the groups that hold them.
    """

    records: list[dict[str, Any]]
    is_object: bool
    items: list[Any]


class Selector:
    """A records jsonpath of names and ``[*]`` steps, such as ``$.data[*].rules[*]``.

    An object where the path expects an array counts as an array of that one object.
    """

    def __init__(self, path: str) -> None:
        """Take the path apart.

        Raises:
            ValueError: If the path has steps other than names and ``[*]``.
        """
        self.path = path
        root, *names = path.split(".")
        steps: list[str | None] = [None] * root.count("[*]")
        for name in names:
            steps.append(name.removesuffix("[*]"))
            if name.endswith("[*]"):
                steps.append(None)
        if root.replace("[*]", "") != "$" or not all(
            step is None or _NAME.fullmatch(step) for step in steps
        ):
            msg = f"unsupported records path {path!r}"
            raise ValueError(msg)
        self._steps = steps

    @property
    def name(self) -> str | None:
        """The name of the array that is the records, ``""`` for the body itself; else None."""
        found = re.fullmatch(r"\$(?:\.([\w-]+))?\[\*\]", self.path)
        return None if found is None else found[1] or ""

    def find(self, body: Any) -> Found:
        """Return what a decoded body holds.

        Raises:
            LookupError: If the body has no place for records, or something else stands there.
        """
        found: list[Any] = [body]
        is_object = False
        items: list[Any] | None = None
        for step in self._steps:
            if step is None:
                is_object = len(found) == 1 and isinstance(found[0], dict)
                is_array = items is None and any(isinstance(value, list) for value in found)
                found = [
                    item
                    for value in found
                    for item in (value if isinstance(value, list) else [value])
                ]
                items = found if is_array else items
            else:
                try:
                    found = [value[step] for value in found]
                except (TypeError, KeyError):
                    raise LookupError(self.path) from None
        if not all(issubclass(kind, dict | TypedRecord) for kind in set(map(type, found))):
            raise LookupError(self.path)
        return Found(found, is_object, found if items is None else items)
