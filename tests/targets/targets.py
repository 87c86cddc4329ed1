"""The targets: how each is installed and told where to load, and how it is read again."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
import yaml
from psycopg import sql

from tap_analytics.sandbox.postgres import ThrowawayPostgres
from tests.helpers.environments import installed
from tests.helpers.support import ROOT
from tests.targets.moto import object_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Table = list[dict[str, Any]]


def shipped(name: str) -> dict[str, Any]:
    """Return the settings that `meltano.yml` gives a target, but for what Meltano fills in."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (target,) = (each for each in project["plugins"]["loaders"] if each["name"] == name)
    values = {each["name"]: each.get("value") for each in target["settings"]}
    return {
        key: value
        for key, value in values.items()
        if value is not None and not str(value).startswith("$")
    }


@dataclass
class Target:
    """A target in a place of its own.

    Attributes:
        folder: Where its files are.
        name: What people call it.
        requirements: What is installed for it.
        newest_python: The last Python 3 it can be installed for, if that is not ours.
    """

    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)

    name: ClassVar[str]
    program: ClassVar[str]
    requirements: ClassVar[tuple[str, ...]]
    newest_python: ClassVar[int] = 99

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator[Target]:
        """Prepare the place, and clear it up at the end."""
        with ExitStack() as stack:
            target = cls(folder, stack)
            target.prepare()
            yield target

    @classmethod
    def is_installable(cls) -> bool:
        """Tell whether it has a release for this Python."""
        return sys.version_info[1] <= cls.newest_python

    def prepare(self) -> None:
        """Start what the target needs."""

    def config(self) -> dict[str, Any]:
        """Return its settings."""
        return {}

    def load(self, messages: bytes) -> str:
        """Pipe messages into it; returns what it complained of, empty if it ended well."""
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config()), encoding="utf-8")
        program = str(installed(*self.requirements) / self.program)
        ran = subprocess.run(  # noqa: S603
            [program, "--config", str(file)],
            input=messages,
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=300,
        )
        return ran.stderr.decode()[-2000:] if ran.returncode else ""

    def tables(self, streams: Iterable[str]) -> dict[str, Table]:
        """Return the rows it keeps of each stream, oldest first."""
        return {stream: self.table(stream) for stream in streams}

    def table(self, stream: str) -> Table:
        """Return the rows it keeps of a stream, oldest first."""
        raise NotImplementedError

    def asked(self, script: str, *arguments: str) -> Any:
        """Return the JSON that a script of its own environment prints."""
        python = str(installed(*self.requirements) / "python")
        command = [python, "-c", script, *arguments]
        ran = subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603
        return json.loads(ran.stdout, parse_float=Decimal)


class PostgresTarget(Target):
    """A target that loads into PostgreSQL."""

    schema: ClassVar[str] = "loaded"
    server: ThrowawayPostgres

    def prepare(self) -> None:
        self.server = self.stack.enter_context(ThrowawayPostgres())

    def connection(self) -> dict[str, Any]:
        """Return where the server is, in the names that targets share."""
        found = self.server.variables()
        return {key.removeprefix("TARGET_POSTGRES_").lower(): found[key] for key in found}

    def tables(self, streams: Iterable[str]) -> dict[str, Table]:
        with psycopg.connect(self.server.url) as connection:
            return {stream: self._rows(connection, stream) for stream in streams}

    def _rows(self, connection: psycopg.Connection[Any], stream: str) -> Table:
        query = sql.SQL("select * from {}").format(sql.Identifier(self.schema, stream))
        cursor = connection.execute(query)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class MeltanoLabsPostgres(PostgresTarget):
    """The target that `meltano.yml` has."""

    name = "meltanolabs-target-postgres 0.8.1"
    program = "target-postgres"
    requirements = ("meltanolabs-target-postgres==0.8.1",)

    def config(self) -> dict[str, Any]:
        where = self.connection()
        where["port"] = int(where["port"])
        schema = {"default_target_schema": self.schema}
        return shipped(self.program) | where | schema | {"hard_delete": True}


class PipelineWisePostgres(PostgresTarget):
    """PipelineWise's target."""

    name = "pipelinewise-target-postgres 2.1.2"
    program = "target-postgres"
    requirements = ("pipelinewise-target-postgres==2.1.2", "setuptools<81")
    newest_python = 11

    def config(self) -> dict[str, Any]:
        where = self.connection()
        where |= {"dbname": where.pop("database"), "port": int(where["port"])}
        return where | {"default_target_schema": self.schema, "hard_delete": True}


class DuckDb(Target):
    """The one release of target-duckdb, with the last DuckDB it loses no row with."""

    name = "target-duckdb 0.8.0 with DuckDB 1.0"
    program = "target-duckdb"
    requirements = ("--only-binary=duckdb", "target-duckdb==0.8.0", "duckdb==1.0.0")
    newest_python = 12
    _ASK: ClassVar[str] = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as base:
    tables = {}
    for stream in sys.argv[2:]:
        found = base.execute(f'select * from main."{stream}"')
        names = [column[0] for column in found.description]
        tables[stream] = [dict(zip(names, row)) for row in found.fetchall()]
print(json.dumps(tables, default=str))
"""

    def config(self) -> dict[str, Any]:
        file = str(self.folder / "loaded.duckdb")
        own = {"path": file, "default_target_schema": "main", "hard_delete": True}
        return shipped(self.program) | own

    def tables(self, streams: Iterable[str]) -> dict[str, Table]:
        found: dict[str, Table] = self.asked(self._ASK, self.config()["path"], *streams)
        return found


def json_lines(text: str) -> Table:
    """Return the rows of a file of JSON lines."""
    return [json.loads(line, parse_float=Decimal) for line in text.split("\n") if line]


class JsonLines(Target):
    """target-jsonl."""

    name = "target-jsonl 0.1.4"
    program = "target-jsonl"
    requirements = ("target-jsonl==0.1.4",)

    def config(self) -> dict[str, Any]:
        return {"destination_path": str(self.folder), "do_timestamp_file": False}

    def table(self, stream: str) -> Table:
        return json_lines((self.folder / f"{stream}.jsonl").read_text(encoding="utf-8"))


class S3JsonLines(Target):
    """target-s3-jsonl into a local object store."""

    name = "target-s3-jsonl 2.0.1"
    program = "target-s3-jsonl"
    requirements = ("target-s3-jsonl==2.0.1",)
    endpoint: str
    _STORE: ClassVar[str] = """
import boto3, json, sys
keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
store = boto3.client("s3", endpoint_url=sys.argv[1], **keys)
if len(sys.argv) == 2:
    store.create_bucket(Bucket="loaded")
lines = {}
for stream in sys.argv[2:]:
    pages = store.get_paginator("list_objects_v2").paginate(Bucket="loaded", Prefix=stream + "/")
    names = sorted(part["Key"] for page in pages for part in page.get("Contents", ()))
    parts = [store.get_object(Bucket="loaded", Key=name)["Body"].read() for name in names]
    lines[stream] = b"".join(parts).decode()
print(json.dumps(lines))
"""

    def prepare(self) -> None:
        self.endpoint = self.stack.enter_context(object_store(self.folder))
        self.asked(self._STORE, self.endpoint)

    def config(self) -> dict[str, Any]:
        return {
            "s3_bucket": "loaded",
            "aws_endpoint_url": self.endpoint,
            "aws_access_key_id": "none",
            "aws_secret_access_key": "none",
            "path_template": "{stream}/{date_time:%Y%m%dT%H%M%S%f}.json",
            "work_dir": str(self.folder),
        }

    def tables(self, streams: Iterable[str]) -> dict[str, Table]:
        lines = self.asked(self._STORE, self.endpoint, *streams)
        return {stream: json_lines(text) for stream, text in lines.items()}


class Csv(Target):
    """The target-csv that is built on the SDK."""

    name = "meltanolabs-target-csv 0.5.0"
    program = "target-csv"
    requirements = ("meltanolabs-target-csv==0.5.0",)

    def config(self) -> dict[str, Any]:
        naming = {"file_naming_scheme": "{stream_name}.csv", "output_path": str(self.folder)}
        return {"output_path_prefix": f"{self.folder}/", **naming}

    def table(self, stream: str) -> Table:
        with (self.folder / f"{stream}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


TARGETS: tuple[type[Target], ...] = (
    MeltanoLabsPostgres,
    PipelineWisePostgres,
    DuckDb,
    JsonLines,
    S3JsonLines,
    Csv,
)
