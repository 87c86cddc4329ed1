"""dbt over what was loaded: it understands the sources, and all their tests pass."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.environments import installed

if TYPE_CHECKING:
    from pathlib import Path

    from tap_analytics.sandbox.postgres import ThrowawayPostgres

    from .conftest import Project

pytestmark = pytest.mark.slow

# Keys of one and of several columns, children, and times of every kind.
STREAMS = ("events", "events_metrics", "gates", "gates_rules", "tasks", "user_modified_documents")

PROJECT = """
name: analytics
profile: analytics
"""
PROFILE = """
analytics:
  target: test
  outputs:
    test:
      type: postgres
      host: {host}
      port: {port}
      user: {user}
      password: "{password}"
      dbname: {database}
      schema: marts
      threads: 4
"""
# The versions after these fetch a part of theirs from elsewhere than the package index.
DBT = ("dbt-core~=1.11.0", "dbt-postgres~=1.10.0")


def test_dbt_reads_the_sources_and_finds_nothing_wrong(
    project: Project, postgres: ThrowawayPostgres, apis: dict[str, str], tmp_path: Path
) -> None:
    variables = postgres.variables()
    select = {"TAP_ANALYTICS__SELECT": json.dumps([f"{name}.*" for name in STREAMS])}
    project.meltano("run", "tap-analytics", "target-postgres", env=apis | variables | select)
    target = {key.removeprefix("TARGET_POSTGRES_").lower(): v for key, v in variables.items()}
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(PROFILE.format_map(target), encoding="utf-8")
    catalog = tmp_path / "catalog.json"
    tap = (sys.executable, "-m", "tap_analytics", "--config=ENV", "--discover")
    found = json.loads(project.run(*tap, env=apis).stdout)
    found["streams"] = [entry for entry in found["streams"] if entry["stream"] in STREAMS]
    catalog.write_text(json.dumps(found), encoding="utf-8")
    write = (sys.executable, "-m", "tap_analytics.dbt", "--catalog", str(catalog))
    project.run(*write, "--output", str(tmp_path / "models" / "sources.yml"), env={})

    def dbt(*arguments: str) -> str:
        where = ("--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path))
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        return project.run(str(installed(*DBT) / "dbt"), *arguments, *where, env=quiet).stdout

    tested = dbt("--warn-error", "test")
    assert "WARN=0 ERROR=0" in tested, tested
    assert "unique_tap_analytics_gates_rules_key" in tested
    assert "relationships" in tested
    fresh = dbt("source", "freshness")
    assert fresh.count("freshness of tap_analytics") >= len(STREAMS), fresh
