"""The line `meltano run tap-analytics target-postgres`, into a real PostgreSQL."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.helpers.comparing import expected_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.engine.stream import AnalyticsStream
    from tap_analytics.sandbox import Sandbox
    from tap_analytics.sandbox.postgres import ThrowawayPostgres

    from .conftest import Project

pytestmark = pytest.mark.slow

Columns = dict[tuple[str, str], str]
SCALARS = {
    ("boolean", None): "bool",
    ("integer", None): "int8",
    ("number", None): "numeric",
    ("string", None): "text",
    ("string", "date"): "date",
    ("string", "date-time"): "timestamp",
}
COLUMNS = """
    select table_name, column_name, udt_name from information_schema.columns
    where table_schema = 'tap_analytics'
"""


def column_type(schema: dict[str, Any]) -> str:
    """Return PostgreSQL's name of the type that a field's schema asks for."""
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    kinds = {kind for kind in types if kind != "null"}
    if kinds == {"array"}:
        held = column_type(schema["items"]) if "items" in schema else "jsonb"
        return "jsonb" if held == "jsonb" else f"_{held}"
    if kinds & {"object", "array"}:
        return "jsonb"
    if len(kinds) > 1:
        return "text"
    return SCALARS[kinds.pop(), schema.get("format")]


def moment(text: str) -> datetime:
    """Return a served date-time as PostgreSQL keeps it: UTC, without a zone."""
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return read.astimezone(timezone.utc).replace(tzinfo=None)


KEPT: dict[str, Callable[[Any], object]] = {
    "date": date.fromisoformat,
    "int8": int,
    "numeric": lambda value: Decimal(str(value)),
    "text": lambda value: str(value).replace("\0", ""),
    "timestamp": moment,
}


def kept(value: Any, kind: str) -> object:
    """Return a served value as a column of a type keeps it."""
    if value is None:
        return None
    if kind.startswith("_"):
        return [kept(item, kind[1:]) for item in value]
    return KEPT[kind](value) if kind in KEPT else value


def canonical(rows: list[dict[str, Any]]) -> list[str]:
    """Return rows as text, in an order of their own."""

    def text(value: object) -> str:
        return str(value.normalize() if isinstance(value, Decimal) else value)

    return sorted(json.dumps(row, sort_keys=True, default=text) for row in rows)


class Loads:
    """One database, and the runs that load into it."""

    def __init__(self, project: Project, postgres: ThrowawayPostgres, apis: dict[str, str]) -> None:
        """Load once."""
        self._project = project
        self._postgres = postgres
        self._env = apis | postgres.variables()
        self.run()

    def run(self) -> None:
        """Type the user's own line."""
        self._project.meltano("run", "tap-analytics", "target-postgres", env=self._env)

    def query(self, query: str | sql.Composed) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self._postgres.url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type,unused-ignore]

    def columns(self) -> Columns:
        """Return the type of every column, by table and name."""
        return {(table, name): kind for table, name, kind in self.query(COLUMNS)}

    def table(self, name: str, fields: list[str]) -> list[dict[str, Any]]:
        """Return all rows of a table, with some of their fields."""
        query = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(map(sql.Identifier, fields)), sql.Identifier("tap_analytics", name)
        )
        return [dict(zip(fields, row, strict=True)) for row in self.query(query)]

    def differences(
        self, sandbox: Sandbox, streams: dict[str, AnalyticsStream]
    ) -> dict[str, list[str]]:
        """Return, by stream, what stands only here or only in the sandbox."""
        columns = self.columns()
        found = {}
        for stream in streams:
            served = expected_rows(sandbox.store, stream)
            fields = sorted({name for row in served for name in row if (stream, name) in columns})
            wanted = [
                {name: kept(row.get(name), columns[stream, name]) for name in fields}
                for row in served
            ]
            here, there = canonical(self.table(stream, fields)), canonical(wanted)
            if here != there:
                found[stream] = [f"- {row}" for row in there if row not in here]
                found[stream] += [f"+ {row}" for row in here if row not in there]
        return found


@pytest.fixture(scope="module")
def loads(project: Project, postgres: ThrowawayPostgres, apis: dict[str, str]) -> Loads:
    return Loads(project, postgres, apis)


def test_columns_have_the_types_of_the_fields(
    loads: Loads, streams: dict[str, AnalyticsStream]
) -> None:
    columns = loads.columns()
    wanted = {
        (name, field): column_type(schema)
        for name, stream in streams.items()
        for field, schema in stream.schema["properties"].items()
    }
    assert {column: columns.get(column) for column in wanted} == wanted


def test_columns_of_the_target_are_there_only_for_deletions(loads: Loads) -> None:
    """With them a load takes half as long again; `test_values` has deletions."""
    assert [column for column in loads.columns() if column[1].startswith("_sdc_")] == []


def test_rows_are_those_of_the_sandbox_and_a_second_run_doubles_nothing(
    loads: Loads, sandbox: Sandbox, streams: dict[str, AnalyticsStream]
) -> None:
    assert loads.differences(sandbox, streams) == {}
    loads.run()
    assert loads.differences(sandbox, streams) == {}


def test_a_change_arrives_at_the_next_run(
    loads: Loads, sandbox: Sandbox, streams: dict[str, AnalyticsStream]
) -> None:
    deal, _ = sandbox.store.expected("won_deals")[:2]
    sandbox.store.append("won_deals", deal | {"id": deal["id"] + 10**9})
    later = {"updated_at": "2026-11-02T00:00:00Z", "name": "later"}
    sandbox.store.update("tasks", 3, later)
    loads.run()
    assert loads.differences(sandbox, streams) == {}
