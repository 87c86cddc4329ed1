"""The throw-away PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

import tap_analytics
from tap_analytics.sandbox import programs
from tap_analytics.sandbox.postgres import ThrowawayPostgres

if TYPE_CHECKING:
    from tap_analytics.sandbox.programs import Source

pytestmark = pytest.mark.slow

ROOT = Path(tap_analytics.__file__).parents[1]
MODULE = ("-m", "tap_analytics.sandbox")
FILL = """
import os, psycopg
names = ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
host, port, user, password, database = (os.environ[f"TARGET_POSTGRES_{n}"] for n in names)
with psycopg.connect(host=host, port=port, user=user, password=password, dbname=database) as c:
    c.execute("create schema one")
    c.execute("create table one.numbers as select generate_series(1, 1234)")
    c.execute('create table "Odd name" (i int)')
"""


@pytest.mark.parametrize("source", ["machine", "wheel"])
def test_both_sources(source: Source) -> None:
    """It answers on the loopback interface, to its password only, and leaves nothing behind."""
    if source == "machine" and not any(programs._on_the_machine()):
        pytest.skip("no PostgreSQL on this machine")
    with ThrowawayPostgres(source) as postgres:
        scratch, process = postgres._scratch, postgres._process
        assert scratch is not None
        assert process is not None
        folder = scratch.path
        with psycopg.connect(postgres.url) as connection:
            for setting, value in (("listen_addresses", "127.0.0.1"), ("server_encoding", "UTF8")):
                row = connection.execute("select current_setting(%s)", (setting,)).fetchone()
                assert row == (value,)
            connection.execute("create schema one")
            connection.execute("create table one.numbers as select generate_series(1, 1234)")
            connection.execute('create table "Odd.name" (i int)')
        assert postgres.tables() == {"one.numbers": 1234, "public.Odd.name": 0}
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(postgres.url.replace(postgres.password, "wrong"))
        assert not list(folder.glob("password"))
        assert (folder / "data" / "PG_VERSION").exists()
    assert process.poll() is not None
    assert not folder.exists()


def test_programs_that_the_account_cannot_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root copies them with their libraries to where `nobody` can run them."""
    if os.geteuid() != 0:
        pytest.skip("only root runs PostgreSQL as somebody else")
    wheel = programs._in_the_wheel()
    assert wheel is not None
    hidden = tmp_path / "hidden"
    package = wheel.parents[1]
    shutil.copytree(wheel.parent, hidden / package.name / wheel.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, hidden / libraries.name)
    hidden.chmod(0o700)
    monkeypatch.setattr(
        programs, "_in_the_wheel", lambda: hidden / package.name / wheel.parent.name / "bin"
    )
    with ThrowawayPostgres("wheel") as postgres:
        assert postgres._scratch is not None
        assert (postgres._scratch.path / libraries.name).exists()
        assert postgres.tables() == {}


def test_no_programs_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do."""
    monkeypatch.setattr(programs, "_on_the_machine", lambda: iter(()))
    monkeypatch.setattr(programs, "_in_the_wheel", lambda: None)
    for source in ("machine", "wheel", None):
        with pytest.raises(programs.PostgresError, match=r"\[sandbox\]"):
            ThrowawayPostgres(source).start()


def test_programs_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they print is the error, and nothing stays behind."""
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o111)
    monkeypatch.setattr(programs, "_on_the_machine", lambda: iter([tmp_path]))
    postgres = ThrowawayPostgres("machine")
    with pytest.raises(programs.PostgresError, match="broken"):
        postgres.start()
    assert postgres._scratch is None


def test_the_command_line_tells_what_landed_where() -> None:
    """Schemas, tables and rows, after the command."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *MODULE, "--postgres", "--", sys.executable, "-c", FILL],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "psql postgresql://postgres:" in done.stderr
    assert "schema one: tables 1, rows 1,234" in done.stderr
    assert "schema public: tables 1, rows 0" in done.stderr
    assert "Odd name" in done.stderr


def test_a_failed_command_has_the_last_word() -> None:
    """What landed is only summed up, so that the command's own words stay in sight."""
    code = f"{FILL}\nimport sys; sys.exit('it broke')"
    done = subprocess.run(  # noqa: S603
        [sys.executable, *MODULE, "--postgres", "--", sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    *_, broke, told = done.stderr.partition("it broke\n")
    assert broke
    assert "schema one: tables 1, rows 1,234" in told
    assert "Odd name" not in told
    last = told.splitlines()[-1]
    assert last.startswith("failed: ")
    assert "ended with exit status 1" in last


ENDINGS = [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]


@pytest.mark.parametrize("signum", ENDINGS)
@pytest.mark.parametrize(
    "command", [(), ("--", sys.executable, "-c", "import time; time.sleep(9)")]
)
def test_nothing_outlives_the_sandbox(signum: signal.Signals, command: tuple[str, ...]) -> None:
    """However it ends, PostgreSQL ends and its data goes."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *MODULE, "--postgres", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    url = next(line.split()[-1] for line in lines if "PostgreSQL: psql" in line)
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select current_setting('data_directory'), pg_read_file('postmaster.pid')"
        ).fetchone()
    assert row is not None
    folder, postmaster = Path(row[0]).parent, int(row[1].splitlines()[0])
    process.send_signal(signum)
    process.wait(timeout=30)
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.stdout.close()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(postmaster, 0)
