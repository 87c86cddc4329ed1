"""A throw-away PostgreSQL server on the loopback interface."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from tap_analytics.sandbox.programs import PostgresError, account, programs

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from tap_analytics.sandbox.programs import Account, Source
    from tap_analytics.sandbox.scratch import Scratch

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_ATTEMPTS = 3
_OPTIONS = (
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
)
_TABLES = """
    select schemaname, tablename from pg_catalog.pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
    order by schemaname, tablename
"""


class ThrowawayPostgres:
    """A PostgreSQL server whose data lies in a temporary folder; both go at the end.

    It listens on a free port of 127.0.0.1 and wants a password that is made for it. Use it in a
    `with` block, or call `start` and `stop`.
    """

    host = "127.0.0.1"
    user = "postgres"
    database = "postgres"

    def __init__(self, source: Source | None = None) -> None:
        """Prepare a server.

        Args:
            source: Whose programs to run: the machine's or those of the wheel. Unless said, the
                machine's if it has any.
        """
        self._source = source
        self._scratch: Scratch | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.password = secrets.token_hex(12)
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is, password included."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    def variables(self) -> dict[str, str]:
        """The settings of Meltano's target-postgres as environment variables."""
        return {
            "TARGET_POSTGRES_HOST": self.host,
            "TARGET_POSTGRES_PORT": str(self.port),
            "TARGET_POSTGRES_USER": self.user,
            "TARGET_POSTGRES_PASSWORD": self.password,
            "TARGET_POSTGRES_DATABASE": self.database,
        }

    def start(self) -> None:
        """Make a cluster and serve it; returns when it answers.

        Raises:
            PostgresError: There are no programs, or they fail.
        """
        runner = account()
        self._scratch = runner.scratch()
        try:
            binaries = programs(self._source, runner, self._scratch.path)
            self._create(self._scratch, binaries, runner)
            self._serve(self._scratch, binaries, runner)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and remove its data."""
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def tables(self) -> dict[str, int]:
        """The rows of every table, by `schema.table`.

        Raises:
            psycopg.Error: The server does not answer.
        """
        with psycopg.connect(self.url) as connection:
            names = connection.execute(_TABLES).fetchall()
            counts = {}
            for schema, table in names:
                query = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
                row = connection.execute(query).fetchone()
                counts[f"{schema}.{table}"] = int(row[0]) if row else 0
        return counts

    def _create(self, scratch: Scratch, binaries: Path, runner: Account) -> None:
        secret = scratch.path / "password"
        secret.write_text(self.password)
        runner.give(secret)
        command = [
            str(binaries / "initdb"),
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
            f"--username={self.user}",
            f"--pwfile={secret}",
            f"--pgdata={scratch.path / 'data'}",
        ]
        with runner.start(command, scratch, subprocess.PIPE) as process:
            output = process.stdout.read() if process.stdout else b""
            process.wait()
        secret.unlink()
        if process.returncode:
            raise PostgresError(output.decode(errors="replace"))

    def _serve(self, scratch: Scratch, binaries: Path, runner: Account) -> None:
        log = scratch.path / "log"
        data = str(scratch.path / "data")
        command = [str(binaries / "postgres"), "-D", data, "-h", self.host]
        for option in _OPTIONS:
            command += ["-c", option]
        for _ in range(_ATTEMPTS):
            self.port = _free_port()
            with log.open("wb") as output:
                process = runner.start([*command, "-p", str(self.port)], scratch, output)
            self._process = process
            if self._answers(process):
                return
            if process.poll() is None:
                break
            if process.stdin is not None:
                process.stdin.close()
        raise PostgresError(log.read_text(errors="replace"))

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the server answers; false if it ended or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def _free_port() -> int:
    with socket.create_server((ThrowawayPostgres.host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
