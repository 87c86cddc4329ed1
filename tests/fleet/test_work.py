"""One account on one worker: real processes, states that are confirmed, and no orphans."""

from __future__ import annotations

import os
import pickle
import pkgutil
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics import apis
from tap_analytics.fleet.pipeline import Ending
from tap_analytics.fleet.unit import Outcome, Unfinished, Unit
from tap_analytics.fleet.work import halt, judge, read_account
from tests.fleet.support import Work
from tests.helpers.support import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Sandbox

pytestmark = pytest.mark.slow


def eventually(is_so: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes_of(text: str) -> list[int]:
    """Return the processes on whose command line a text stands."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text in path.read_bytes().decode(errors="replace"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_an_account_is_read_and_its_state_resumes(work: Work) -> None:
    first = read_account(work.unit())
    assert (first.status, first.tap_status, first.target_status) == ("complete", 0, 0), first
    assert work.rows() == work.served("acme")
    assert work.state()["bookmarks"]["tasks"]["accounts"]["acme"]
    assert first.records == sum(work.served("acme").values())

    second = read_account(work.unit(fleet="two"))
    assert second.status == "complete"
    assert {s["stream"]: s["records"] for s in second.streams}["tasks"] == 1
    assert work.rows() == work.served("acme")


def test_a_state_is_kept_only_if_the_target_has_confirmed_it(work: Work) -> None:
    outcome = read_account(work.unit("acme", "--unconfirmed"))
    assert outcome.status == "complete"
    assert "confirmed no state" in str(outcome.reason)
    assert work.state() == {}


def test_what_else_a_target_prints_is_no_state(work: Work) -> None:
    outcome = read_account(work.unit("acme", "--chatty"))
    assert (outcome.status, outcome.tap_status, outcome.target_status) == ("complete", 0, 0)
    assert work.state()["bookmarks"]["tasks"]["accounts"]["acme"]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_target_that_does_not_end_is_killed_with_all_it_started(work: Work) -> None:
    shell = ("sh", "-c", shlex.join(work.target("--hang")) + "; true")
    outcome = read_account(replace(work.unit(), target=shell, limit=4, patience=1))
    assert outcome.status == "interrupted"
    assert str(outcome.reason).startswith("took longer than 4 s, and killed, ")
    assert work.state()["bookmarks"]["tasks"]["accounts"]["acme"]
    assert not processes_of(str(work.loaded))


def test_a_target_that_fails_is_worth_another_attempt(work: Work) -> None:
    unit = work.unit("acme", "--fail-once", str(work.folder / "failed"))
    with pytest.raises(Unfinished, match=r"target ended with exit status 1: .* in no mood"):
        read_account(unit)
    assert work.state() == {}
    assert read_account(unit).attempts == 2
    assert work.rows() == work.served("acme")


def test_what_cannot_be_run_is_said(work: Work) -> None:
    with pytest.raises(Unfinished, match="target did not run: cannot run no-such-target"):
        read_account(replace(work.unit(), target=("no-such-target",)))


def test_without_its_catalog_nothing_is_read(work: Work) -> None:
    with pytest.raises(FileNotFoundError, match="not in --state any more"):
        read_account(replace(work.unit(), catalog="catalogs/gone.json"))
    assert not work.loaded.exists()


def test_a_refused_stream_fails_the_account_and_the_rest_is_kept(work: Work) -> None:
    outcome = read_account(work.unit("acme", sales_api_key="wrong"))
    assert outcome.status == "failed"
    assert str(outcome.reason).startswith("accounts: ")
    assert {s["stream"]: s["status"] for s in outcome.streams}["accounts"] == "denied"
    served = work.served("acme")
    assert work.rows() == {place: n for place, n in served.items() if place[1] != "accounts"}
    assert work.state()["bookmarks"]["tasks"]["accounts"]["acme"]
    assert read_account(work.unit(fleet="two")).status == "complete"
    assert work.rows() == served


def test_wrong_settings_are_final(work: Work) -> None:
    unit = work.unit()
    outcome = read_account(replace(unit, settings={**unit.settings, "max_wait": "long"}))
    assert (outcome.status, outcome.tap_status) == ("failed", 2)
    assert outcome.reason == "tap: setting 'max_wait' must be of type number"


@pytest.fixture
def slow_work(tmp_path: Path, open_sandbox: Callable[..., Sandbox]) -> Work:
    """An account that takes a while to read, 40 pages one after the other for one list."""
    return Work(tmp_path, open_sandbox(records=80, latency=0.1))


def slowly(unit: Unit, **changes: Any) -> Unit:
    return replace(unit, settings={**unit.settings, "max_concurrency": 1}, **changes)


def test_two_fleets_do_not_read_an_account_at_once(slow_work: Work) -> None:
    units = [slowly(slow_work.unit(fleet=f"fleet {n}")) for n in range(3)]
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(read_account, units))
    assert sorted(outcome.status for outcome in outcomes) == ["busy", "busy", "complete"]
    assert all("another fleet" in str(o.reason) for o in outcomes if o.status == "busy")


def test_a_fleet_that_is_told_to_end_keeps_its_state(slow_work: Work) -> None:
    unit = slowly(slow_work.unit("acme", "--slow", "0.001", fleet="told"))
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read_account, unit)
        eventually((slow_work.loaded / "rows come").exists)
        halt("told")
        outcome = reading.result(30)
    assert (outcome.status, outcome.tap_status) == ("interrupted", 143)
    assert slow_work.state()
    assert read_account(unit).reason == "not begun"
    assert read_account(slow_work.unit()).status == "complete"
    assert slow_work.rows() == slow_work.served("acme")


def test_an_account_that_takes_too_long_is_told_to_end(slow_work: Work) -> None:
    outcome = read_account(slowly(slow_work.unit(), limit=2.5))
    assert outcome.status == "interrupted"


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_killed_worker_leaves_no_process_and_another_goes_on(work: Work, tmp_path: Path) -> None:
    unit = work.unit("acme", "--slow", "0.2")
    (tmp_path / "unit").write_bytes(pickle.dumps(unit))
    code = (
        "import pathlib, pickle, sys; from tap_analytics.fleet.work import read_account; "
        "read_account(pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()))"
    )
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code, str(tmp_path / "unit")], cwd=ROOT, env=environment()
    ) as worker:
        eventually((work.loaded / "rows come").exists)
        assert processes_of(str(work.loaded))
        worker.send_signal(signal.SIGKILL)
    eventually(lambda: not processes_of(str(work.loaded)), 5)
    outcome = read_account(replace(unit, target=work.target()))
    assert (outcome.status, outcome.attempts) == ("complete", 2)
    assert work.rows() == work.served("acme")


def test_a_worker_whose_lease_passed_on_writes_no_more(work: Work) -> None:
    slow = work.unit("acme", "--slow", "0.2")
    failed: list[Unfinished] = []

    def read() -> None:
        try:
            read_account(slow)
        except Unfinished as error:
            failed.append(error)

    first = threading.Thread(target=read)
    first.start()
    eventually((work.loaded / "rows come").exists)
    outcome = read_account(replace(slow, target=work.target()))
    first.join(30)
    assert outcome.status == "complete"
    assert "passed on" in str(failed[0])
    ends = [line for line in work.lines() if not line["stream"]]
    assert len(ends) == 1


def test_secrets_are_neither_shown_nor_on_a_command_line_or_disk(work: Work) -> None:
    canary = "canary-9b1d0c"
    unit = work.unit("acme", "--slow", "0.1", sales_api_key=canary)
    assert canary not in repr(unit)
    assert canary not in repr(Unfinished(Outcome("acme", "failed")))
    seen: list[Path] = []
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read_account, unit)
        eventually((work.loaded / "rows come").exists)
        seen += [Path(f"/proc/{number}") for number in processes_of(canary)]
        temporary = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108
        for folder in temporary.glob("tap-analytics-fleet-*"):
            assert folder.stat().st_mode & 0o077 == 0
            seen += [p for p in folder.iterdir() if canary.encode() in p.read_bytes()]
        outcome = reading.result(60)
    assert outcome.status == "failed"
    assert not seen
    assert canary not in repr(outcome)
    kept = [path for path in Path(work.store).rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {"acme.json", "acme.log", "1.json", "catalog.json"}
    assert not [path for path in kept if canary.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("tap", "target", "said"),
    [
        (141, 1, "target ended with exit status 1: no space"),
        (1, -9, "target was ended by signal 9"),
        (-11, 0, "tap was ended by signal 11: what now"),
        (141, 0, "target ended before it had taken all of it: no space"),
        (0, 3, "target ended with exit status 3"),
        (None, None, "target did not run: no space"),
    ],
)
def test_programs_that_break_off_are_tried_again(
    tap: int | None, target: int | None, said: str
) -> None:
    ending = Ending(tap, target, {}, {"tap": "what now", "target": "no space"})
    with pytest.raises(Unfinished, match=said):
        judge(ending, {"account": "acme"})


def test_programs_that_are_killed_from_outside_are_tried_again() -> None:
    with pytest.raises(Unfinished, match="killed from outside"):
        judge(Ending(last_words={"tap": "", "target": ""}), {"account": "acme"})


@pytest.mark.skipif(sys.platform != "linux", reason="taps are forked there only")
def test_a_process_that_forks_taps_may_die(work: Work) -> None:
    assert read_account(work.unit()).status == "complete"
    (warm,) = (n for n in processes_of("tap_analytics.fleet.warm") if _parent(n) == os.getpid())
    os.kill(warm, signal.SIGKILL)
    eventually(lambda: not _is_running(warm))
    assert read_account(work.unit(fleet="two")).status == "complete"


def test_a_worker_leaves_nothing_open() -> None:
    code = "from tap_analytics.fleet.starting import starter; print(starter.start().stdout.name)"
    command = [sys.executable, "-X", "dev", "-c", code]
    ran = subprocess.run(command, env=environment(), capture_output=True, timeout=60, check=True)  # noqa: S603
    assert b"<socket.socket" not in ran.stderr


def test_a_tap_may_be_a_program_of_its_own(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_analytics.fleet.starting._CAN_FORK", False)
    outcome = read_account(work.unit())
    assert (outcome.status, outcome.tap_status, outcome.target_status) == ("complete", 0, 0)
    assert work.rows() == work.served("acme")


def _stat(number: int) -> list[str]:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["X", "0"]


def _parent(number: int) -> int:
    return int(_stat(number)[1])


def _is_running(number: int) -> bool:
    return _stat(number)[0] not in "ZX"


def test_units_travel(work: Work) -> None:
    unit = work.unit()
    copy: Unit = pickle.loads(pickle.dumps(unit))  # noqa: S301
    assert copy.settings == unit.settings
    error = Unfinished(Outcome("acme", "failed", reason="why"))
    assert str(pickle.loads(pickle.dumps(error))) == "acme: why"  # noqa: S301


def test_a_process_that_forks_has_imported_every_stream() -> None:
    names = [one.name for one in pkgutil.walk_packages(apis.__path__, f"{apis.__name__}.")]
    code = "import sys; from tap_analytics.fleet import warm; warm.main(); print(*sys.modules)"
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        ran = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code],
            stdin=theirs.fileno(),
            capture_output=True,
            text=True,
            check=True,
        )
    assert set(names) <= set(ran.stdout.split())
