"""Accounts of a sandbox, the target of tests, and what reached it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_analytics.fleet.store import Store
from tap_analytics.fleet.unit import Unit
from tests.helpers.support import catalog

if TYPE_CHECKING:
    from tap_analytics.sandbox import Sandbox

STREAMS = ("tags", "accounts", "tasks")
"""One list of three APIs each; `tasks` has a bookmark."""

TARGET = str(Path(__file__).with_name("target.py"))


def settings(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """Return the settings around all accounts: hosts, and no key."""
    found = {
        name: value for name, value in sandbox.config().items() if not name.endswith("_api_key")
    }
    kept = ("workforce_", "experimentation_", "sales_", "start_date")
    around = {name: value for name, value in found.items() if name.startswith(kept)}
    return {**around, "backoff_factor": 0.01, **more}


def account(sandbox: Sandbox, name: str, **more: Any) -> dict[str, Any]:
    """Return an account with the keys of three APIs."""
    keys = ("workforce_api_key", "experimentation_api_key", "sales_api_key")
    return {"name": name, **{key: sandbox.config()[key] for key in keys}, **more}


@dataclass
class Work:
    """A folder with a store, and what the test's target got."""

    folder: Path
    sandbox: Sandbox

    @property
    def store(self) -> str:
        return str(self.folder / "store")

    @property
    def loaded(self) -> Path:
        return self.folder / "loaded"

    def target(self, *options: str) -> tuple[str, ...]:
        return (sys.executable, TARGET, str(self.loaded), *options)

    def files(self, *accounts: dict[str, Any], **common: Any) -> tuple[str, str]:
        """Write a file of accounts and a catalog, and return where."""
        self.folder.mkdir(parents=True, exist_ok=True)
        plan, chosen = self.folder / "accounts.yaml", self.folder / "catalog.json"
        around = settings(self.sandbox, **common)
        plan.write_text(json.dumps({**around, "accounts": list(accounts)}), encoding="utf-8")
        chosen.write_text(json.dumps(catalog(*STREAMS)), encoding="utf-8")
        return str(plan), str(chosen)

    def report(self) -> dict[str, Any]:
        """Return the report of the last fleet, with its accounts by name."""
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_bytes())
        return {**found, "accounts": {one["account"]: one for one in found["accounts"]}}

    def unit(self, name: str = "acme", *options: str, fleet: str = "one", **more: Any) -> Unit:
        Store(self.store).write("catalog.json", json.dumps(catalog(*STREAMS)).encode())
        return Unit(
            fleet=fleet,
            account=name,
            settings={
                **settings(self.sandbox),
                "accounts": [account(self.sandbox, name, **more)],
            },
            target=self.target(*options),
            store=self.store,
            catalog="catalog.json",
            lease_seconds=2.0,
        )

    def lines(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for path in sorted(self.loaded.glob("*.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]

    def rows(self) -> Counter[tuple[str, str]]:
        """How many different rows there are, by account and stream, as a target that upserts."""
        keys = {(row["account"], row["stream"], row["id"]) for row in self.lines() if row["stream"]}
        return Counter((account, stream) for account, stream, _ in keys)

    def served(self, *names: str) -> dict[tuple[str, str], int]:
        """How many rows there have to be of some accounts."""
        return {
            (name, stream): len(self.sandbox.store.expected(stream))
            for name in names
            for stream in STREAMS
        }

    def state(self, name: str = "acme") -> dict[str, Any]:
        """Return the state of an account, empty if there is none."""
        path = Path(self.store, "states", f"{name}.json")
        found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
        return found
