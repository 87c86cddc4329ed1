"""`COPY` by hand: one request after the other, each page copied into a table of texts.

Run as `copied.py JOB URL SCHEMA`, with the same file as `floor.py`; only lists without parents
are read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import orjson  # type: ignore[import-not-found,unused-ignore]
import psycopg
import requests

# The floor stands beside this script.
from floor import pages  # type: ignore[import-not-found,unused-ignore]
from psycopg import sql


def text(value: Any) -> str | None:
    """Return a value as a column of texts takes it."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def load(connection: psycopg.Connection[Any], schema: str, name: str, every: Any) -> None:
    """Make a table of the fields of the first row, and copy all rows into it."""
    first = next(every)
    names = list(first[0])
    table, columns = sql.Identifier(schema, name), list(map(sql.Identifier, names))
    fields = sql.SQL(", ").join(column + sql.SQL(" text") for column in columns)
    connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    connection.execute(sql.SQL("create table {} ({})").format(table, fields))
    copying = sql.SQL("copy {} ({}) from stdin").format(table, sql.SQL(", ").join(columns))
    with connection.cursor().copy(copying) as copy:
        for row in (row for rows in (first, *every) for row in rows):
            copy.write_row([text(row.get(part)) for part in names])


def main() -> None:
    """Load the only list of the job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    (endpoint,) = job["endpoints"]
    with requests.Session() as session, psycopg.connect(sys.argv[2]) as connection:
        session.headers["api_key"] = job["api_key"]
        load(connection, sys.argv[3], endpoint["name"], pages(session, job["base_url"], endpoint))


if __name__ == "__main__":
    main()
