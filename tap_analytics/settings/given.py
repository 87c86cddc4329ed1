"""Settings as they were given, in files or the environment, made what the schema calls for."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

PREFIX = "TAP_ANALYTICS_"
_OF_OTHERS = ("loglevel",)
_CLOSE = 0.7
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def from_environment(
    config_schema: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the settings given as ``TAP_ANALYTICS_<NAME>``, as the texts they are."""
    names = ((name, f"{PREFIX}{name.upper()}") for name in config_schema["properties"])
    return {name: environment[variable] for name, variable in names if variable in environment}


def unknown_variables(
    config_schema: Mapping[str, Any], environment: Mapping[str, str], *, is_read: bool
) -> Iterator[str]:
    """Yield the names of settings that variables are named after, and that there are not.

    Where the environment is not read, only what looks like a slip is of interest: another
    plugin of the same project may have a name that starts like ours.
    """
    known = config_schema["properties"]
    # Meltano spells out what an object holds, besides giving it whole.
    parts = tuple(f"{name}_" for name, setting in known.items() if "object" in _kinds(setting))
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX).lower()
        is_ours = variable.startswith(PREFIX) and not name.startswith(("_", *parts))  # Meltano's
        if not is_ours or name in known or name in _OF_OTHERS:
            continue
        if is_read or (
            suggestion(name, known) and not name.endswith(tuple(f"_{k}" for k in known))
        ):
            yield name


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the words that name what was probably meant, if anything was."""
    close = get_close_matches(name.lower(), list(known), n=1, cutoff=_CLOSE)
    return f": did you mean '{close[0]}'?" if close else ""


def prepare(config: MutableMapping[str, Any], config_schema: Mapping[str, Any]) -> None:
    """Make of settings what is meant by them, in place.

    What is null or an empty text counts as not set. A text that says a value of the
    setting's type becomes that value, for whoever only has texts; any other is left as it
    is, to be refused. What is not set takes the setting's default.
    """
    _read(config, config_schema["properties"])
    for name, setting in config_schema["properties"].items():
        if "default" in setting:
            config.setdefault(name, setting["default"])


def _read(config: MutableMapping[str, Any], properties: Mapping[str, Any]) -> None:
    for name in [name for name in config if name in properties]:
        if config[name] in (None, ""):
            del config[name]
        else:
            config[name] = _value(config[name], properties[name])


def _value(value: Any, setting: Mapping[str, Any]) -> Any:
    kinds = _kinds(setting)
    if isinstance(value, str) and "string" not in kinds:
        value = _parsed(value, kinds)
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        return int(value)
    item = setting.get("items", {})
    if isinstance(value, list) and "properties" in item:
        value = [dict(part) if isinstance(part, dict) else part for part in value]
        for part in value:
            if isinstance(part, dict):
                _read(part, item["properties"])
    return value


def secrets(config: Mapping[str, Any], config_schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the secrets among the settings, those of each account included."""
    for name, value in config.items():
        setting = config_schema["properties"].get(name, {})
        item = setting.get("items", {})
        if isinstance(value, list) and "properties" in item:
            for part in value:
                if isinstance(part, dict):
                    yield from secrets(part, item)
        elif setting.get("secret"):
            yield str(value)


def _kinds(setting: Mapping[str, Any]) -> frozenset[str]:
    """Return the JSON types of a setting, null aside."""
    kinds = setting.get("type", ())
    return frozenset([kinds] if isinstance(kinds, str) else kinds) - {"null"}


def _parsed(text: str, kinds: frozenset[str]) -> Any:
    if "boolean" in kinds and text.strip().lower() in _BOOLEANS:
        return _BOOLEANS[text.strip().lower()]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, (str, type(None))) else value
