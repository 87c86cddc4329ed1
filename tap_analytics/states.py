"""The state of an earlier run, in whatever form it comes, and catalogs told from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.inputs import wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST = 1 << 62
"""Versions of tables and numbers of rows are smaller; targets keep them in 64 bits."""
_OUTDATED = ("partitions", "progress_markers", "starting_replication_value")
_LONGEST_TYPE = 40


def kind_of(content: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return what a JSON object seems to be."""
    if isinstance(content.get("type"), str) and content["type"].isupper():
        return f"a {content['type']} message"[:_LONGEST_TYPE]
    if "streams" in content:
        return "a catalog"
    if "bookmarks" in content:
        return "a state"
    return "settings" if set(content) & set(settings) else "neither a state nor a catalog"


def bookmarks_of(state: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bookmarks of a state, by stream.

    A state is taken as the tap wrote it, as the whole STATE message, and as
    ``meltano state get`` prints it.

    Raises:
        ConfigValidationError: If it is none.
    """
    if state.get("type") == "STATE":
        return bookmarks_of(_object(state.get("value"), "the value of a STATE message"), settings)
    if "singer_state" in state:
        return bookmarks_of(_object(state["singer_state"], "'singer_state'"), settings)
    if set(state) & {"completed", "partial"} and "bookmarks" not in state:
        found: dict[str, Any] = {}
        for part in ("completed", "partial"):
            if state.get(part):
                found |= bookmarks_of(_object(state[part], f"'{part}'"), settings)
        return found
    if state and "bookmarks" not in state:
        text = f"the state is no state, but {kind_of(state, settings)}: it has no 'bookmarks'"
        raise wrong(text)
    return dict(_object(state.get("bookmarks"), "'bookmarks'"))


def _object(value: Any, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        text = f"the state is no state: {what} must be a JSON object"
        raise wrong(text)
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


_SOUND: dict[str, Callable[[Any], bool]] = {
    "replication_key": _is_text,
    "replication_key_value": lambda value: _is_text(value) or type(value) is int,
    "covers": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "done": _is_text,
    "parents": _is_text,
    "rows": _is_count,
    "version": _is_count,
    "since": _is_text,
    "full_read": _is_text,
    "accounts": lambda value: isinstance(value, dict),
}


def sound_entry(entry: Any, stream: str) -> tuple[dict[str, Any], list[str]]:
    """Return a stream's bookmark without what is null or outdated, and what is wrong with it.

    One that is malformed in any part says nothing: its stream is read from the start. With
    several accounts that holds for each account's part by itself.

    Raises:
        ConfigValidationError: If it is no object.
    """
    given = _object(entry, f"the bookmark of '{stream}'")
    kept = {k: v for k, v in given.items() if k not in _OUTDATED and v is not None}
    for name, is_sound in _SOUND.items():
        if name in kept and not is_sound(kept[name]):
            trouble = f"the state of '{stream}' is malformed at '{name}': it is read from the start"
            return {}, [trouble]
    if "accounts" not in kept:
        return kept, []
    parts = {
        name: sound_entry(one, f"{stream} of {name}") for name, one in kept["accounts"].items()
    }
    kept["accounts"] = {name: part for name, (part, _) in parts.items() if part}
    return kept, [trouble for _, troubles in parts.values() for trouble in troubles]
