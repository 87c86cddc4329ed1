"""Write dbt's `sources.yml` for what a catalog selects: `python -m tap_analytics.dbt`.

Tables, columns, descriptions, tests of keys and references, freshness. Stream maps and flattening
are not applied: the columns are those of the catalog.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from singer_sdk.singerlib import Catalog

from tap_analytics.apis import PACKAGES
from tap_analytics.engine.registry import references
from tap_analytics.engine.values.cursors import Epoch
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.singerlib import CatalogEntry

    from tap_analytics.engine.stream import AnalyticsStream
    from tap_analytics.engine.values.cursors import Cursor

_HEAD = "# Written by python -m tap_analytics.dbt, for dbt 1.10 or newer.\n"
_NAMESPACE = "tap_analytics"
_SEPARATOR = " || chr(31) || "
_MICROSECONDS = 1_000_000
_USAGE_ERROR = 2

Properties = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A selected stream as a table.

    Attributes:
        name: Its name.
        columns: JSON schema of each selected column.
        keys: The columns that tell rows apart.
        replication_key: The column that says when a row changed, if there is one.
        cursor: The kind of that column, None if it is no column of ours.
        description: What its rows are.
        references: Columns that hold keys of other tables, as ``table.column``.
    """

    name: str
    columns: Properties
    keys: tuple[str, ...]
    replication_key: str | None
    cursor: Cursor | None
    description: str
    references: dict[str, str]


@dataclass(frozen=True)
class Options:
    """What is not in the catalog.

    Attributes:
        source: Name of the source in dbt.
        schema: Schema that the target loads into.
        quote: Whether names of columns stand in quotes, as they are spelled.
        warn_after: Days without a change after which freshness warns.
    """

    source: str
    schema: str
    quote: bool
    warn_after: int

    def column(self, name: str) -> str:
        """Return a column's name as SQL."""
        return f'"{name}"' if self.quote else name


def known_streams() -> Iterator[AnalyticsStream]:
    """Yield every stream there is: those of the documents, then those of every vendor."""
    vendors: dict[str, Any] = {"all_streams": True}
    for family in PACKAGES:
        vendors[f"{family.api.name}_{family.api.key_setting}"] = "none"
        vendors[f"{family.api.name}_upstream"] = next(iter(family.upstreams))
    for config in ({}, vendors):
        tap = TapAnalytics(config=config, validate_config=False)
        yield from tap.discover_streams()


def nearest(entry: CatalogEntry, known: Sequence[AnalyticsStream]) -> AnalyticsStream | None:
    """Return the stream that a catalog's entry was made from: a document's or a vendor's."""
    columns = set(entry.schema.to_dict().get("properties", {}))
    keys = _keys(entry)

    def distance(stream: AnalyticsStream) -> tuple[bool, int]:
        others = set(stream.schema["properties"])
        return tuple(stream.primary_keys) != keys, len(columns ^ others)

    return min((s for s in known if s.name == entry.tap_stream_id), key=distance, default=None)


def _keys(entry: CatalogEntry) -> tuple[str, ...]:
    return tuple(entry.metadata.root.table_key_properties or entry.key_properties or ())


def _replication_key(entry: CatalogEntry, stream: AnalyticsStream | None) -> str | None:
    root = entry.metadata.root
    if "FULL_TABLE" in (entry.replication_method, root.forced_replication_method):
        return None
    chosen = entry.replication_key or root.replication_key
    return chosen or (stream.replication_key if stream else None)


def tables(catalog: Catalog) -> Iterator[Table]:
    """Yield the selected streams of a catalog."""
    known = tuple(known_streams())
    for entry in catalog.streams:
        selected = entry.metadata.resolve_selection()
        if not selected[()]:
            continue
        stream = nearest(entry, known)
        properties: Properties = entry.schema.to_dict().get("properties", {})
        columns = {
            name: schema for name, schema in properties.items() if selected["properties", name]
        }
        replication_key = _replication_key(entry, stream)
        yield Table(
            name=entry.tap_stream_id,
            columns=columns,
            keys=_keys(entry),
            replication_key=replication_key if replication_key in columns else None,
            cursor=stream.cursor if stream else None,
            description=cleandoc(type(stream).__doc__ or "") if stream else "",
            references=references(type(stream)) if stream else {},
        )


def sources(catalog: Catalog, options: Options) -> dict[str, Any]:
    """Return what `sources.yml` says of the selected streams."""
    selected = {table.name: table for table in tables(catalog)}
    described = [_table(table, selected, options) for table in selected.values()]
    source: dict[str, Any] = {"name": options.source}
    if options.schema != options.source:
        source["schema"] = options.schema
    return {"version": 2, "sources": [{**source, "tables": described}]}


def _table(table: Table, selected: dict[str, Table], options: Options) -> dict[str, Any]:
    said: dict[str, Any] = {"name": table.name}
    if table.description:
        said["description"] = table.description
    if table.replication_key:
        said["config"] = {
            "loaded_at_field": _moment(options.column(table.replication_key), table.cursor),
            "freshness": {"warn_after": {"count": options.warn_after, "period": "day"}},
        }
    if len(table.keys) > 1:
        columns = [f"cast({options.column(name)} as varchar)" for name in table.keys]
        together = {"column_name": _SEPARATOR.join(columns)}
        name = f"unique_{options.source}_{table.name}_key"
        said["data_tests"] = [{"unique": {"name": name, "arguments": together}}]
    said["columns"] = [_column(table, name, selected, options) for name in table.columns]
    return said


def _column(
    table: Table, name: str, selected: dict[str, Table], options: Options
) -> dict[str, Any]:
    said: dict[str, Any] = {"name": name}
    if options.quote:
        said["quote"] = True
    if description := table.columns[name].get("description"):
        said["description"] = description
    tests: list[Any] = ["not_null"] if name in table.keys else []
    if table.keys == (name,):
        tests.append("unique")
    target, _, column = table.references.get(name, "").partition(".")
    if target in selected and column in selected[target].columns:
        to = {"to": f"source('{options.source}', '{target}')", "field": options.column(column)}
        # What a row points to may have been deleted since: that is worth knowing, no error.
        tests.append({"relationships": {"arguments": to, "config": {"severity": "warn"}}})
    if tests:
        said["data_tests"] = tests
    return said


def _moment(column: str, cursor: Cursor | None) -> str:
    """Return the SQL of a replication key as a timestamp."""
    if isinstance(cursor, Epoch):
        return f"to_timestamp(cast({column} as bigint) / {_MICROSECONDS // cursor.unit})"
    return f"cast({column} as timestamp)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; returns the exit status, 2 if the catalog is none or selects nothing."""
    parser = argparse.ArgumentParser(prog="python -m tap_analytics.dbt", description=__doc__)
    parser.add_argument("--catalog", type=Path, required=True, help="what --discover wrote")
    parser.add_argument("--output", default="sources.yml", help="file to write, - for the screen")
    parser.add_argument("--name", default=_NAMESPACE, help="name of the source in dbt")
    parser.add_argument("--schema", default=_NAMESPACE, help="schema that the target loads into")
    parser.add_argument(
        "--no-quote", action="store_true", help="for targets that fold the names of columns"
    )
    parser.add_argument(
        "--warn-after", type=int, default=7, metavar="DAYS", help="days that are still fresh"
    )
    given = parser.parse_args(arguments)
    try:
        catalog = Catalog.from_dict(json.loads(given.catalog.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"'{given.catalog}' is no catalog: {error}\n")
        return _USAGE_ERROR
    options = Options(given.name, given.schema, not given.no_quote, given.warn_after)
    found = sources(catalog, options)
    if not found["sources"][0]["tables"]:
        sys.stderr.write(f"'{given.catalog}' selects no stream\n")
        return _USAGE_ERROR
    text = _HEAD + yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=100)
    if given.output == "-":
        sys.stdout.write(text)
    else:
        Path(given.output).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
