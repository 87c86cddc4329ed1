"""The tap's settings as the code declares them, for every page that shows them."""

from __future__ import annotations

import copy
from typing import Any

from tap_analytics.tap import TapAnalytics

OF_THE_SDK = {
    "stream_maps": "Rename, filter, hash or compute streams and fields on the way out.",
    "stream_map_config": "Values for the expressions in `stream_maps`.",
    "faker_config": "Locale and seed of made-up values, with `singer-sdk[faker]`.",
    "flattening_enabled": "Turn nested objects into columns of their own.",
    "flattening_max_depth": "How many levels of nesting to turn into columns.",
    "flattening_max_key_length": "Longest name of such a column.",
    "flattening_separator": "What joins the names of such a column.",
}


def settings() -> dict[str, dict[str, Any]]:
    """Return the tap's settings, the SDK's included: name to JSON schema, in the tap's order."""
    schema = copy.deepcopy(TapAnalytics.config_jsonschema)
    TapAnalytics.append_builtin_config(schema)
    properties: dict[str, dict[str, Any]] = schema["properties"]
    return properties


def json_type(schema: dict[str, Any]) -> str:
    """Return the one JSON type of a setting, null aside."""
    types = schema.get("type", "object")
    return next(t for t in ([types] if isinstance(types, str) else types) if t != "null")


def is_secret(schema: dict[str, Any]) -> bool:
    """Say whether a setting must never be shown."""
    return bool(schema.get("secret") or schema.get("writeOnly"))


def sentence(name: str, schema: dict[str, Any]) -> str:
    """Return what a setting does, on one line."""
    return OF_THE_SDK.get(name) or " ".join(schema["description"].split())


def options(schema: dict[str, Any]) -> list[str]:
    """Return the values a setting may have, if they are listed."""
    return [option for option in schema.get("enum", ()) if option is not None]
