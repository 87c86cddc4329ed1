"""Which tables a target has, so that no two accounts make the same table at once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_analytics import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_analytics.fleet.plan import Member
    from tap_analytics.fleet.store import Store
    from tap_analytics.fleet.unit import Unit

_NAME = "all.tables"
"""In place of an account's name, and no name that an account can have."""


class Tables:
    """The tables that all accounts share: made ahead, by the SCHEMA messages of all of them.

    Attributes:
        unit: What makes them. It reads nothing.
    """

    def __init__(self, store: Store, members: Sequence[Member], unit: Unit, version: str) -> None:
        """Take what they are made of.

        Args:
            store: Where to note that they are made.
            members: All accounts.
            unit: The unit of one of them, as they have the target and the catalog in common.
            version: That of the tap.
        """
        config = {**members[0].config}
        config["accounts"] = [own for member in members for own in member.config["accounts"]]
        self.unit = replace(unit, account=_NAME, settings=config, is_schema_only=True)
        shape = _open(config, settings.schema()["properties"])
        what = json.dumps([unit.target, unit.catalog, version, shape], sort_keys=True)
        self._store = store
        self._name = f"tables/{hashlib.sha256(what.encode()).hexdigest()[:16]}"

    @property
    def are_made(self) -> bool:
        """Whether they are there, by these settings, catalog, target and version of the tap."""
        return self._store.read(self._name) is not None

    def note(self) -> None:
        """Note that they are."""
        self._store.write(self._name, b"made")


def _open(config: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without their secrets, of which only the names count."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if name == "accounts":
            inner = properties[name]["items"]["properties"]
            found[name] = [_open(account, inner) for account in value]
        else:
            found[name] = None if properties.get(name, {}).get("secret") else value
    return found
