"""JSON files that the user names on the command line, and what is wrong with them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:  # older versions of click know no type of the value
    _ParamType = click.ParamType

_LONGEST_NAME = 200
_KINDS = {list: "an array", str: "a text", bool: "a boolean", type(None): "null"}


class JsonFile(_ParamType):
    """A file with one JSON object, which is what the option's value becomes."""

    name = "file"

    def __init__(self, what: str) -> None:
        """Take what the file is called in messages."""
        self._what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Read the file."""
        return read_object(value, self._what) if isinstance(value, str) else value


def wrong(text: str) -> ConfigValidationError:
    """Return the error that something the user gave is wrong."""
    return ConfigValidationError(text, errors=[text], schema={})


def read_object(path: str, what: str) -> dict[str, Any]:
    """Read a file that holds a JSON object, or standard input if it is named ``-``.

    Raises:
        ConfigValidationError: If there is none, saying why and where.
    """
    name = f"the {what} file{_shown(path)}"
    if path.lstrip().startswith(("{", "[", '"')):
        text = f"--{what} wants the path of a JSON file, and not what would be in it"
        raise wrong(text)
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        content = json.loads(raw.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        text = f"{name} {_trouble(error)}"
        if isinstance(error, json.JSONDecodeError) and not raw.strip():
            text = f"{name} is empty"
        raise wrong(text) from None
    if not isinstance(content, dict):
        text = f"{name} holds {_KINDS.get(type(content), 'a number')}, and not a JSON object"
        raise wrong(text)
    return content


def _shown(path: str) -> str:
    """Return a path for a message, unless it looks like something else, such as a setting."""
    is_name = len(path) <= _LONGEST_NAME and path.isprintable() and not set(path) & set("{}=\"'@")
    return f" '{path}'" if is_name else ""


def _trouble(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not whole JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8"
    return "is no path" if isinstance(error, ValueError) else "is nested too deeply"
