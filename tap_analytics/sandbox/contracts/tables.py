"""The tables of fields, in files beside the contracts."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tap_analytics.sandbox.contract import Api


def tables_of(api: Api) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of an API's streams: kinds by stream, and what they share.

    A table may be `like` another one, with fields of its own instead of some of the other's.
    """
    return _joined(api.tables or (api.name,))


def read(name: str) -> dict[str, Any]:
    """What a file beside the contracts has."""
    folder = resources.files("tap_analytics.sandbox.contracts")
    found: dict[str, Any] = msgspec.json.decode(folder.joinpath(f"{name}.json").read_bytes())
    return found


@cache
def _joined(names: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    streams: dict[str, Any] = {}
    shared: dict[str, Any] = {}
    for name in names:
        tables = read(name)
        shared |= tables.get("shared", {})
        for stream, fields in tables["streams"].items():
            streams[stream] = {**streams.get(fields.pop("like", ""), {}), **fields}
    return streams, shared
