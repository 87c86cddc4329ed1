"""Finding the records in a decoded answer."""

from __future__ import annotations

import re
from typing import Any

_NAME = re.compile(r"[\w-]+")


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

    def find(self, body: Any) -> tuple[list[dict[str, Any]], bool]:
        """Return the records of a decoded body, and whether it is one object, not an array.

        Raises:
            LookupError: If the body has no place for records, or something else stands there.
        """
        found: list[Any] = [body]
        is_object = False
        for step in self._steps:
            if step is None:
                is_object = len(found) == 1 and isinstance(found[0], dict)
                found = [
                    item
                    for value in found
                    for item in (value if isinstance(value, list) else [value])
                ]
            else:
                try:
                    found = [value[step] for value in found]
                except (TypeError, KeyError):
                    raise LookupError(self.path) from None
        if not set(map(type, found)) <= {dict}:
            raise LookupError(self.path)
        return found, is_object
