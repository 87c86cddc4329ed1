"""What can be known of the expressions of stream maps before the first row."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_FILTER = "__filter__"


def check_calls(stream_map: Any, functions: Collection[str]) -> None:
    """Make sure that a stream's map calls functions that there are.

    Args:
        stream_map: The map, expressions by field.
        functions: Names of the functions.

    Raises:
        ValueError: If an expression calls another one.
    """
    if not isinstance(stream_map, Mapping):
        return
    for field, expression in stream_map.items():
        if isinstance(expression, str) and (field == _FILTER or not field.startswith("__")):
            for node in ast.walk(ast.parse(expression.strip())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    _check(node.func.id, field, functions)


def _check(name: str, field: str, functions: Collection[str]) -> None:
    if name not in functions:
        close = get_close_matches(name, functions, 1)
        meant = f": did you mean '{close[0]}'?" if close else ""
        msg = f"'{field}' calls '{name}', and there is no such function{meant}"
        raise ValueError(msg)
