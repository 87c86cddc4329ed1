"""What leaves, in a real PostgreSQL: awkward values, and deletions whatever is done to a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from tap_analytics.sandbox import Sandbox
    from tap_analytics.sandbox.postgres import ThrowawayPostgres

    from .conftest import Project

pytestmark = pytest.mark.slow

AWKWARD: list[dict[str, Any]] = [
    {"due_on": ""},
    {"due_on": "0000-00-00"},
    {"due_on": "2025-02-30"},
    {"due_on": "31/01/2025"},
    {"due_on": "2025-01-31T10:00:00Z"},
    {"completed_at": "2016-12-31T23:59:60Z"},
    {"completed_at": "2025-01-31T00:00:00+99:99"},
    {"completed_at": "0000-01-01T00:00:00Z"},
    {"completed_at": "10000-01-01T00:00:00Z"},
    {"company_id": 2**63},
    {"author_employee_id": 10**400},
    {"assignee_ids": [1, "x", [2], {"a": None}, None, 2**63]},
    {"name": ["a", {"b": None}]},
    {"content": "nul \x00 in it"},
    {"unheard_of": {"deep": [1]}},
]
"""What each of the first tasks has in place of what it had."""


def query(postgres: ThrowawayPostgres, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(postgres.url) as connection:
        return connection.execute(text).fetchall()  # type: ignore[arg-type,unused-ignore]


def test_awkward_values_and_deletions_arrive(
    project: Project, postgres: ThrowawayPostgres, sandbox: Sandbox, apis: dict[str, str]
) -> None:
    """With a stream map and flattening, which is where a version could be lost."""
    store = sandbox.store
    for index, change in enumerate(AWKWARD):
        store.update("tasks", index, change)
    env = {
        **apis,
        **postgres.variables(),
        "TAP_ANALYTICS__SELECT": json.dumps(["tasks.*", "subscribers.*", "contacts.*"]),
        "TAP_ANALYTICS_EMIT_ACTIVATE_VERSION_MESSAGES": "true",
        "TAP_ANALYTICS_UNKNOWN_FIELDS": "column",
        "TAP_ANALYTICS_STREAM_MAPS": json.dumps({"subscribers": {"more": "'x'"}}),
        "TAP_ANALYTICS_FLATTENING_ENABLED": "true",
        "TAP_ANALYTICS_FLATTENING_MAX_DEPTH": "1",
        "TARGET_POSTGRES_HARD_DELETE": "true",
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "awkward",
    }
    project.meltano("run", "--full-refresh", "tap-analytics", "target-postgres", env=env)
    tasks = query(postgres, "select count(*), count(unknown_fields) from awkward.tasks")
    assert tasks == [(len(store.expected("tasks")), 1)]
    assert query(postgres, "select completed_at from awkward.tasks where id = 2005") == [
        query(postgres, "select timestamp '2017-01-01 00:00:00'")[0]
    ]
    for stream in ("subscribers", "contacts"):
        there = len(store.expected(stream))
        store.delete(stream, 0)
        assert query(postgres, f"select count(*) from awkward.{stream}") == [(there,)]  # noqa: S608
    project.meltano("run", "--full-refresh", "tap-analytics", "target-postgres", env=env)
    for stream in ("subscribers", "contacts"):
        there = len(store.expected(stream))
        assert query(postgres, f"select count(*) from awkward.{stream}") == [(there,)]  # noqa: S608
    assert query(postgres, "select distinct more from awkward.subscribers") == [("x",)]
