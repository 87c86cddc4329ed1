"""Silent changes and deletions of incremental streams in a real PostgreSQL, with a kill between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.helpers.environments import installed
from tests.helpers.support import ROOT, catalog, environment, settings
from tests.targets.targets import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from tap_analytics.sandbox import Sandbox
    from tap_analytics.sandbox.postgres import ThrowawayPostgres

pytestmark = pytest.mark.slow

STREAMS = ("layers", "gates", "gates_rules")


class Nightly:
    """The same load night after night, with the state that the target hands on."""

    def __init__(self, folder: Path, sandbox: Sandbox, postgres: ThrowawayPostgres) -> None:
        self._folder, self._sandbox, self._postgres = folder, sandbox, postgres
        self._target = installed("meltanolabs-target-postgres==0.8.1") / "target-postgres"
        self._state: Any = None
        config = settings(
            sandbox,
            "experimentation",
            emit_activate_version_messages=True,
            full_read_every_days=7,
            max_retries=0,
        )
        self._write("config", config)
        self._write("catalog", catalog(*STREAMS))
        own = {"sqlalchemy_url": self._url, "hard_delete": True, "default_target_schema": "nights"}
        self._write("target", shipped("target-postgres") | own)

    @property
    def _url(self) -> str:
        return self._postgres.url.replace("postgresql://", "postgresql+psycopg://")

    def _write(self, name: str, content: Any) -> str:
        path = self._folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def run(self, *, days: float, killed_after: int | None = None) -> None:
        """Load, so many days after the last time.

        Args:
            days: Days that go by before it.
            killed_after: Messages of the tap after which it is killed, if it is.
        """
        tap = [sys.executable, "-m", "tap_analytics"]
        for name in ("config", "catalog"):
            tap += [f"--{name}", str(self._folder / f"{name}.json")]
        if self._state is not None:
            for entry in self._state["bookmarks"].values():
                if "full_read" in entry:
                    then = datetime.fromisoformat(entry["full_read"].replace("Z", "+00:00"))
                    entry["full_read"] = (then - timedelta(days=days)).isoformat()
            tap += ["--state", self._write("state", self._state)]
        written = subprocess.run(  # noqa: S603
            tap, cwd=ROOT, env=environment(), capture_output=True, check=False, timeout=120
        ).stdout
        if killed_after is not None:
            written = b"".join(written.splitlines(keepends=True)[:killed_after])
        loaded = subprocess.run(  # noqa: S603
            [str(self._target), "--config", str(self._folder / "target.json")],
            input=written,
            env=dict(os.environ),
            capture_output=True,
            check=True,
            timeout=120,
        )
        for line in loaded.stdout.splitlines():
            self._state = json.loads(line)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._postgres.url) as connection:
            return connection.execute(text).fetchall()  # type: ignore[arg-type,unused-ignore]

    def assert_equal(self) -> None:
        for stream in STREAMS:
            keys = "gate_id, id" if stream == "gates_rules" else "id"
            found = self.query(f"select {keys} from nights.{stream}")  # noqa: S608
            rows = self._sandbox.store.expected(stream)
            wanted = [tuple(row[name] for name in keys.split(", ")) for row in rows]
            assert sorted(found) == sorted(wanted), stream
        found = self.query("select id, description from nights.layers")
        rows = self._sandbox.store.expected("layers")
        assert dict(found) == {row["id"]: row["description"] for row in rows}


def test_a_fortnight(tmp_path: Path, sandbox: Sandbox, postgres: ThrowawayPostgres) -> None:
    nightly = Nightly(tmp_path, sandbox, postgres)
    nightly.run(days=0)
    nightly.assert_equal()
    store = sandbox.store
    store.update("layers", 1, {"description": "changed in silence"})
    store.delete("layers", 12)
    store.delete("gates", 13)
    nightly.run(days=3)
    assert nightly.query(
        "select count(*) from nights.layers where description = 'changed in silence'"
    ) == [(0,)]
    nightly.run(days=5, killed_after=60)
    store.delete("layers", 14)
    nightly.run(days=1)
    nightly.assert_equal()
    store.delete("layers", 15)
    nightly.run(days=1)
    with pytest.raises(AssertionError):
        nightly.assert_equal()
    nightly.run(days=7)
    nightly.assert_equal()
