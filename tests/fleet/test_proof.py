"""Thirty accounts, a real scheduler, two workers of which one is killed, a real database."""

from __future__ import annotations

import json
import os
import shlex
import signal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.postgres import ThrowawayPostgres
from tests.fleet.cluster import Cluster, finish, fleet, options
from tests.fleet.support import STREAMS, Work, account
from tests.fleet.test_work import eventually
from tests.helpers.environments import installed
from tests.test_project import LOADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

NAMES = tuple(f"account-{number:02}" for number in range(int(os.environ.get("ACCOUNTS", "30"))))
BAD = NAMES[-2]


class Database:
    """A throw-away database, and the target for it as meltano.yml pins it."""

    def __init__(self, server: ThrowawayPostgres, folder: Path) -> None:
        (pin,) = [one["pip_url"] for one in LOADERS if one["name"] == "target-postgres"]
        self._server = server
        self._program = installed(*shlex.split(pin)) / "target-postgres"
        self._config = folder / "target.json"
        names = ("host", "port", "user", "password", "database")
        where = {name: getattr(server, name) for name in names}
        content = {**where, "default_target_schema": "fleet", "add_record_metadata": False}
        content |= {"activate_version": False, "validate_records": False}
        self._config.write_text(json.dumps(content), encoding="utf-8")

    @property
    def target(self) -> str:
        return shlex.join([str(self._program), "--config", str(self._config)])

    def rows(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return by account and stream how many rows there are, and how many different ids."""
        found = {}
        with psycopg.connect(self._server.url) as connection:
            for stream in STREAMS:
                query = sql.SQL(
                    "select account, count(*), count(distinct id) from {} group by account"
                ).format(sql.Identifier("fleet", stream))
                for name, rows, ids in connection.execute(query):
                    found[name, stream] = (rows, ids)
        return found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with ThrowawayPostgres() as server:
        yield Database(server, tmp_path)


def test_thirty_accounts_arrive_though_a_worker_is_killed_and_an_account_fails(
    tmp_path: Path, database: Database
) -> None:
    with (
        Sandbox(records=20, latency=0.05) as sandbox,
        Cluster(tmp_path / "dask", threads=4) as cluster,
    ):
        work = Work(tmp_path, sandbox)
        accounts = [
            account(sandbox, name, **({"sales_api_key": "wrong"} if name == BAD else {}))
            for name in NAMES
        ]
        plan, catalog = work.files(*accounts)
        given = options(
            accounts=plan,
            catalog=catalog,
            target=database.target,
            state=work.store,
            report=work.folder / "report.json",
            scheduler=cluster.address,
            lease_seconds=5,
        )
        process = fleet(*given)
        eventually(lambda: len(list(Path(work.store, "states").glob("*"))) > len(NAMES) // 4, 120)
        held = (json.loads(path.read_bytes()) for path in Path(work.store).glob("leases/*/*"))
        places = [lease["place"] for lease in held if not lease["released"]]
        victim = next(w for w in cluster.running if any(p.endswith(f" {w.pid}") for p in places))
        victim.send_signal(signal.SIGKILL)
        cluster.start_worker()
        said = finish(process, 1)

        assert f"{len(NAMES) - 1} of {len(NAMES)} accounts complete, 1 failed" in said
        served = {place: (rows, rows) for place, rows in work.served(*NAMES).items()}
        without = {place: n for place, n in served.items() if place != (BAD, "accounts")}
        assert database.rows() == without
        report = work.report()["accounts"]
        assert report[BAD]["status"] == "failed"
        assert "accounts" in report[BAD]["reason"]
        assert max(one["attempts"] for one in report.values()) > 1
        assert work.state(BAD)["bookmarks"]["tasks"]["accounts"][BAD]

        work.files(*(account(sandbox, name) for name in NAMES))
        finish(fleet(*given, "--only", BAD), 0)
        assert database.rows() == served
        (again,) = work.report()["accounts"].values()
        assert {s["stream"]: s["records"] for s in again["streams"]}["tasks"] == 1
        texts = [said, cluster.logs(), *(p.read_text() for p in tmp_path.glob("*/*.log"))]
        keys = [str(v) for name, v in sandbox.config().items() if name.endswith("_api_key")]
        assert not [key for key in keys for text in texts if key in text]


def test_two_fleets_at_once_read_each_account_once(work: Work, tmp_path: Path) -> None:
    names = NAMES[:3]
    with Cluster(tmp_path / "dask", threads=6) as cluster:
        plan, catalog = work.files(*(account(work.sandbox, name) for name in names))
        given = options(
            accounts=plan,
            catalog=catalog,
            target=shlex.join(work.target("--slow", "0.2")),
            state=work.store,
            scheduler=cluster.address,
            lease_seconds=2,
        )
        fleets = [fleet(*given, "--report", str(tmp_path / f"{n}.json")) for n in range(2)]
        for process in fleets:
            _, said = process.communicate(timeout=120)
            assert process.returncode in (0, 1), said
    reports = [json.loads((tmp_path / f"{n}.json").read_bytes())["accounts"] for n in range(2)]
    for one, other in zip(*reports, strict=True):
        statuses = {one["status"], other["status"]}
        assert "complete" in statuses
        assert statuses <= {"complete", "busy"}
    assert "busy" in {one["status"] for report in reports for one in report}
    assert work.rows() == work.served(*names)
    writing: dict[str, list[tuple[float, float]]] = {}
    for path in work.loaded.glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        span = (lines[-1]["began"], lines[-1]["ended"])
        writing.setdefault(lines[0].get("account", ""), []).append(span)
    for spans in writing.values():
        spans.sort()
        assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))
