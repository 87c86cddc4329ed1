"""The command, on processes of this machine and on a cluster: how it ends, and what it says."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_analytics.fleet.cluster import connected
from tap_analytics.fleet.command import main
from tap_analytics.fleet.lease import Holder, Lease
from tap_analytics.fleet.plan import read
from tap_analytics.fleet.store import Store
from tap_analytics.fleet.tables import Tables
from tests.fleet.cluster import Cluster, finish, fleet, options
from tests.fleet.support import TARGET, Work, account
from tests.fleet.test_work import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Sandbox

pytestmark = pytest.mark.slow
CANARY = "canary-77aa10"
NAMES = ("acme", "globex", "initech", "umbrella")


def command(
    work: Work,
    *names: str,
    target: tuple[str, ...] = (),
    common: dict[str, object] | None = None,
    **more: object,
) -> list[str]:
    """Return options that read some accounts of a sandbox."""
    accounts = (account(work.sandbox, name) for name in names)
    plan, catalog = work.files(*accounts, **(common or {}))
    return [
        *options(
            accounts=plan,
            catalog=catalog,
            target=shlex.join(target or work.target()),
            state=work.store,
            report=work.folder / "report.json",
            **more,
        )
    ]


def test_accounts_are_read_on_this_machine_alone(work: Work) -> None:
    names = NAMES[:3]
    plan, catalog = work.files(
        account(work.sandbox, "acme", sales_api_key="$ACME_KEY"),
        account(work.sandbox, "globex"),
        account(work.sandbox, "initech", sales_api_key=CANARY),
    )
    given = options(
        accounts=plan,
        catalog=catalog,
        target=shlex.join(work.target()),
        state=work.store,
        report=work.folder / "report.json",
    )
    key = work.sandbox.config()["sales_api_key"]
    said = finish(fleet(*given, ACME_KEY=key), 1)
    assert "2 of 3 accounts complete, 1 failed" in said.splitlines()[-1]
    assert "initech: failed" in said
    served = work.served(*names)
    del served["initech", "accounts"]
    assert work.rows() == served
    report = work.report()
    assert report["exit_status"] == 1
    assert report["totals"]["complete"] == 2
    assert report["accounts"]["initech"]["status"] == "failed"
    assert report["accounts"]["acme"]["streams"][0]["account"] == "acme"
    texts = [said, (work.folder / "report.json").read_text()]
    assert not [text for text in texts if CANARY in text or key in text]


def test_nobody_else_can_look_into_a_fleet_of_this_machine() -> None:
    psutil = pytest.importorskip("psutil", "6.0")

    def listening() -> set[tuple[str, int]]:
        found = psutil.Process().net_connections("inet")
        return {tuple(one.laddr) for one in found if one.status == psutil.CONN_LISTEN}

    before = listening()
    with connected(None, workers=2, threads=1, timeout=30):
        opened = listening() - before
    assert {address for address, _ in opened} <= {"127.0.0.1", "::1"}


def test_tables_are_made_before_any_account_is_read(work: Work) -> None:
    def runs() -> list[tuple[float, float, int]]:
        """When each run of the target began and ended, and how many rows it got."""
        files = [path.read_text().splitlines() for path in work.loaded.glob("*.jsonl")]
        ends = [(json.loads(lines[-1]), len(lines) - 1) for lines in files]
        return sorted((end["began"], end["ended"], rows) for end, rows in ends)

    given = command(work, *NAMES)
    finish(fleet(*given), 0)
    (_, made, rows), *others = runs()
    assert rows == 0
    assert [rows for *_, rows in others] == [sum(work.served("acme").values())] * 4
    assert all(began > made for began, *_ in others)
    assert others[1][0] < others[0][1]
    for change, tables in ({}, 0), ({"only": "acme"}, 1), ({"target": "env " + given[5]}, 1):
        shutil.rmtree(work.loaded)
        finish(fleet(*given, *options(**change)), 0)
        assert [rows for *_, rows in runs()].count(0) == tables, change


def test_tables_that_cannot_be_made_are_no_work_for_every_account(work: Work) -> None:
    given = command(work, *NAMES[:3], target=("env", "no-such-target"), retries=0)
    said = finish(fleet(*given), 1)
    assert "acme: failed" in said
    assert said.count("tables cannot be made: target ended with exit status 127: env: ") == 6
    assert not (work.folder / "store" / "leases" / "acme").exists()


def test_of_two_fleets_one_makes_the_tables(work: Work) -> None:
    given = command(work, *NAMES[:2], lease_seconds=2)
    tables = Tables(Store(work.store), read(Path(given[1]), {}), work.unit(), "1")
    other = Lease(Store(work.store), tables.unit.account, Holder("other", "there"), 2)
    with other:
        said = finish(fleet(*given, "--patience", "1"), 1)
        assert "tables cannot be made: is being read by another fleet (there)" in said
        process = fleet(*given)
        time.sleep(3)
        assert not work.loaded.exists()
    finish(process, 0)
    assert work.rows() == work.served(*NAMES[:2])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_states_kept(
    number: signal.Signals, tmp_path: Path, open_sandbox: Callable[..., Sandbox]
) -> None:
    work = Work(tmp_path, open_sandbox(records=120, latency=0.1))
    target = work.target("--slow", "0.001")
    given = command(work, *NAMES[:2], target=target, common={"max_concurrency": 1})
    process = fleet(*given)
    eventually((work.loaded / "rows come").exists, 60)
    # As in a terminal: to the command and to all that it started.
    os.killpg(process.pid, number)
    said = finish(process, 128 + number, 60)
    assert "0 of 2 accounts complete, 2 interrupted" in said.splitlines()[-1]
    assert work.state()
    finish(fleet(*command(work, *NAMES[:2])), 0)
    assert work.rows() == work.served(*NAMES[:2])


def test_workers_are_looked_at_before_anything_is_read(work: Work, tmp_path: Path) -> None:
    given = command(work, "acme", target=("no-such-target", "--config", "x"))
    with Cluster(tmp_path / "dask", workers=1) as cluster:
        said = finish(fleet(*given, "--scheduler", cluster.address), 2)
    assert "finds no program 'no-such-target'" in said
    assert not (work.folder / "store").exists()


def test_a_scheduler_that_does_not_answer_is_said(work: Work) -> None:
    given = command(work, "acme", scheduler="tcp://127.0.0.1:1", patience=1)
    said = finish(fleet(*given), 1, 60)
    assert "no scheduler answers at tcp://127.0.0.1:1" in said
    assert "Traceback" not in said


def test_a_scheduler_that_restarts_is_survived_and_one_that_is_lost_is_said(
    tmp_path: Path, open_sandbox: Callable[..., Sandbox]
) -> None:
    work = Work(tmp_path, open_sandbox(records=60, latency=0.1))
    target = work.target("--slow", "0.001")
    with Cluster(tmp_path / "dask", workers=1) as cluster:
        given = command(work, *NAMES[:2], target=target, scheduler=cluster.address, lease_seconds=3)
        work.files(*(account(work.sandbox, n) for n in NAMES[:2]), max_concurrency=1)
        process = fleet(*given, "--patience", "50")
        eventually((work.loaded / "rows come").exists, 60)
        assert cluster.scheduler
        cluster.scheduler.kill()
        cluster.scheduler.wait(10)
        cluster.start_scheduler()
        cluster.start_worker()
        finish(process, 0)
        assert work.rows() == work.served(*NAMES[:2])

        (work.loaded / "rows come").unlink()
        process = fleet(*given, "--patience", "2")
        eventually((work.loaded / "rows come").exists, 60)
        cluster.scheduler.kill()
        said = finish(process, 1, 90)
    assert "the next run goes on from the account's state" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": "'unclosed"}, "--target"),
        ({"target": ""}, "--target"),
        ({"workers": 0}, "--workers"),
        ({"state": "nosuch://x"}, "nosuch"),
        ({"state": ""}, "--state: is empty"),
        ({"only": "nobody"}, "no account 'nobody'"),
        ({"catalog": "/no/catalog"}, "catalog"),
        ({"report": "/no/report"}, "the report '/no/report' cannot be written: No such file"),
    ],
)
def test_mistakes_are_said_before_anything_starts(
    work: Work, capsys: pytest.CaptureFixture[str], change: dict[str, object], said: str
) -> None:
    try:
        status = main([*command(work, "acme"), *options(**change)])
    except SystemExit as end:  # of argparse
        status = int(end.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err


def test_rows_of_others_are_not_removed(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    given = command(work, "acme", common={"emit_activate_version_messages": True})
    assert main(given) == 2
    assert "give each a schema, with {account} in --target" in capsys.readouterr().err


def test_a_store_is_for_accounts_or_for_their_apis(work: Work) -> None:
    given = command(work, "acme")
    said = finish(
        fleet(
            *given, "--by-api", "--target", f"{work.target()[0]} {TARGET} {work.loaded}/{{account}}"
        ),
        0,
    )
    assert "3 of 3 accounts complete" in said
    names = {path.name for path in (work.folder / "store" / "states").iterdir()}
    assert names == {"acme.experimentation.json", "acme.sales.json", "acme.workforce.json"}
    assert "--by-api must be given always or never" in finish(fleet(*given), 2)


def test_a_store_that_cannot_be_written_is_said(work: Work) -> None:
    (work.folder / "store").write_text("a file", encoding="utf-8")
    assert "--state cannot be written: " in finish(fleet(*command(work, "acme")), 2)
