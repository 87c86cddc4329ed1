"""What a user's catalog says of a stream, in whatever place and age of catalogs it says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Schema

from tap_analytics.engine.accounts import ACCOUNT
from tap_analytics.engine.values.cursors import IsoTime
from tap_analytics.engine.values.fitting import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Stream
    from singer_sdk.singerlib import CatalogEntry

_METHODS = ("INCREMENTAL", "FULL_TABLE")
_ROOT: tuple[str, ...] = ()


class Malformed(ValueError):
    """A catalog is none, with the words that say why."""


def modernized(catalog: dict[str, Any]) -> dict[str, Any]:
    """Return a catalog with what older ones and Meltano say, where the SDK looks for it.

    Raises:
        Malformed: If it is no catalog.
    """
    streams = catalog.get("streams")
    if not isinstance(streams, list):
        msg = "it has no list of 'streams'"
        raise Malformed(msg)
    return {**catalog, "streams": [_modern(entry, n) for n, entry in enumerate(streams, 1)]}


def _modern(entry: Any, number: int) -> dict[str, Any]:
    name = isinstance(entry, dict) and (entry.get("tap_stream_id") or entry.get("stream"))
    if not isinstance(name, str):
        msg = f"its stream {number} has no 'tap_stream_id'"
        raise Malformed(msg)
    schema = entry.get("schema") or {}
    metadata = entry.get("metadata") or []
    if not isinstance(schema, dict) or not isinstance(metadata, list):
        msg = f"the 'schema' or 'metadata' of '{name}' is not of the form it must have"
        raise Malformed(msg)
    try:
        places = {tuple(part["breadcrumb"]): dict(part["metadata"]) for part in metadata}
    except (TypeError, KeyError, ValueError):
        msg = f"the 'metadata' of '{name}' is not a list of 'breadcrumb' and 'metadata'"
        raise Malformed(msg) from None
    if (wrong := _misshapen(schema, "schema")) is not None:
        msg = f"'{wrong}' of '{name}' is not what JSON Schema has there"
        raise Malformed(msg)
    if odd := [part for part in places.values() if not _is_choice(part.get("selected"))]:
        msg = f"'selected' in the metadata of '{name}' is {odd[0]['selected']!r}, "
        msg += "and may be true or false"
        raise Malformed(msg)
    _take_selected(places, _ROOT, entry if "selected" in entry else schema)
    for field, part in (schema.get("properties") or {}).items():
        _take_selected(places, ("properties", field), part)
    root = places.get(_ROOT, {})
    if "replication-method" in root:  # as Meltano's extra `metadata` writes it
        root["forced-replication-method"] = root["replication-method"]
    listed = [{"breadcrumb": list(place), "metadata": part} for place, part in places.items()]
    return {**entry, "tap_stream_id": name, "schema": schema, "metadata": listed}


def _is_choice(selected: Any) -> bool:
    return selected is None or isinstance(selected, bool)


def _misshapen(schema: Any, path: str) -> str | None:
    """Return where a schema is none, of what is looked at in it; None if it is one."""
    if not isinstance(schema, dict):
        return path
    types = schema.get("type", [*TYPES])
    named = [types] if isinstance(types, str) else types
    if not isinstance(named, list) or not named or not {*TYPES}.issuperset(map(str, named)):
        return f"{path}.type"
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        return f"{path}.properties"
    parts = {f"{path}.properties.{name}": part for name, part in properties.items()}
    if isinstance(schema.get("items"), dict):
        parts[f"{path}.items"] = schema["items"]
    return next((at for where, part in parts.items() if (at := _misshapen(part, where))), None)


def _take_selected(
    places: dict[tuple[str, ...], dict[str, Any]], place: tuple[str, ...], old: dict[str, Any]
) -> None:
    """Take a choice that catalogs once had beside the schema."""
    selected = old.get("selected")
    if isinstance(selected, bool) and places.get(place, {}).get("selected") is None:
        places.setdefault(place, {})["selected"] = selected


def settle(stream: Stream, entry: CatalogEntry) -> Iterator[str]:
    """Write into a catalog's entry what holds for its stream; yield what cannot be honoured.

    Keys, replication method and replication key may each stand in two places; the one that
    differs from what the stream declares is the one that the user changed.
    """
    root: Any = entry.metadata.root
    fields = stream.schema["properties"]
    if not entry.schema.properties:
        entry.schema = type(entry.schema).from_dict(stream.schema)
    own = list(stream.primary_keys)
    keys = _changed(own, [entry.key_properties, root.table_key_properties])
    if ACCOUNT in own:
        known = entry.schema.properties or {}
        entry.schema.properties = {ACCOUNT: Schema(type="string"), **known}
        if keys and ACCOUNT not in keys:
            keys = [ACCOUNT, *keys]
    unknown = [key for key in keys if key not in fields]
    if unknown:
        yield f"its key {_list(unknown)} is no field of it, so it keeps {_list(own)}"
    entry.key_properties = own if unknown else list(keys)
    root.table_key_properties = entry.key_properties
    yield from _settle_replication(stream, entry, root)


def _settle_replication(stream: Stream, entry: CatalogEntry, root: Any) -> Iterator[str]:
    own_key, own_method = stream.replication_key, stream.replication_method
    key = _changed(own_key, [entry.replication_key, root.replication_key])
    method = _changed(own_method, [entry.replication_method, root.forced_replication_method])
    if method not in _METHODS:
        yield f"its replication method {method!r} is none there is, so it is {own_method}"
        method = own_method
    if key != own_key and method == own_method == "FULL_TABLE":
        given = (entry.replication_method, root.forced_replication_method)
        method = "FULL_TABLE" if "FULL_TABLE" in given else "INCREMENTAL"
    if method == "INCREMENTAL" and key != own_key:
        field = stream.schema["properties"].get(key, {})
        if field.get("format") == "date-time":
            stream.__dict__["cursor"] = IsoTime()
        else:
            yield f"its replication key {key!r} is no date-time of it, so it is read as declared"
            key, method = own_key, own_method
    if method == "INCREMENTAL" and key is None:
        yield "nothing in it tells when a row changed, so it is read in full"
        method = own_method
    entry.replication_key = root.replication_key = key
    entry.replication_method = root.forced_replication_method = method


def _changed(own: Any, given: list[Any]) -> Any:
    there = [value for value in given if value is not None]
    return next((value for value in there if value != own), own)


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
