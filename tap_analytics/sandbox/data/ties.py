"""Columns that hold keys of other streams, as the tap declares them: every join finds its rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_analytics.apis import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.sandbox.contract import Api

    References = Mapping[str, Mapping[str, str]]


def references(api: Api) -> References:
    """By stream, its columns that point to others, each with the `stream.column` it points to."""
    found = {}
    for family in FAMILIES:
        vendor = family.upstreams.get(api.upstream)
        if family.api.name == api.name and (vendor or not api.upstream):
            streams: tuple[Any, ...] = vendor.streams if vendor else family.documented
            found = {str(stream.name): stream.references for stream in streams}
    return found


def tied(stream: str, fields: Mapping[str, Any], every: References) -> dict[str, Any]:
    """A stream's table of fields in which what points to another stream has a key of it.

    What others point to is never null. The first field, the key, stays as it is, and so does
    what follows from the row's own parent (`=up`).
    """
    own = every.get(stream, {})
    wanted = {target for targets in every.values() for target in targets.values()}
    key, *_ = fields
    table: dict[str, Any] = {}
    for names, kind in fields.items():
        mark = names[-1] if names[-1] in "?~" else ""
        settled = names == key or str(kind).startswith("=up")
        for name in re.findall(r"[^ ?~]+", names):
            shown = name if f"{stream}.{name}" in wanted else name + mark
            pointing = name in own and not settled
            table[shown] = f"=ref {own[name]}" if pointing else kind
    return table
