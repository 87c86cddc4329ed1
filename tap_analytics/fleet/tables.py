"""Which APIs a target has tables for, so that no two accounts make the same table at once."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_analytics.fleet.store import Store


class Tables:
    """What earlier accounts have loaded, with the same target, catalog and version."""

    def __init__(
        self, store: Store, target: Sequence[str], catalog: str | None, version: str
    ) -> None:
        """Read what is known."""
        what = json.dumps([list(target), catalog, version]).encode()
        self._store = store
        self._name = f"loaded/{hashlib.sha256(what).hexdigest()[:16]}.json"
        self.apis = self._read()

    def add(self, apis: Iterable[str]) -> None:
        """Note that all tables of some APIs are made."""
        if not self.apis.issuperset(apis):
            self.apis = self.apis | self._read() | frozenset(apis)
            self._store.write(self._name, json.dumps(sorted(self.apis)).encode())

    def _read(self) -> frozenset[str]:
        try:
            return frozenset(json.loads(self._store.read(self._name) or b"[]"))
        except ValueError:
            return frozenset()
