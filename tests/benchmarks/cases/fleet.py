"""Many accounts: what two workers gain over one after the other, and what memory they take."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.benchmarks.bench import say
from tests.benchmarks.process import FailedError, Usage, measure
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.work import FAMILY, OPEN_TASKS, PARENTS, SCHEDULES, Work
from tests.fleet.support import TARGET
from tests.helpers.support import ROOT, catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from tests.benchmarks.bench import Bench

_LATENCY = 0.05
_SLOTS = (2, 8)
_SECONDS_BETWEEN_LOOKS = 0.5
_ENV = {"PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class Plan:
    """Accounts to read.

    Attributes:
        config: How to reach the server.
        work: What to read for each.
        count: How many there are.
        rows: How many rows they have together.
    """

    config: dict[str, Any]
    work: tuple[Work, ...]
    count: int
    rows: int

    def check(self, records: int) -> None:
        """Raise FailedError if that is not all."""
        if records != self.rows:
            message = f"read {records:,} of {self.rows:,} records"
            raise FailedError(message)

    def write(self, folder: Path) -> None:
        """Write the settings and a catalog into a folder."""
        apis = tuple(f"{one.api}_" for one in self.work)
        common = {name: v for name, v in self.config.items() if not name.endswith("_api_key")}
        own = {
            name: value
            for name, value in self.config.items()
            if name.startswith(apis) and name not in common
        }
        config: dict[str, Any] = {
            name: value
            for name, value in common.items()
            if name.startswith(apis) or name in ("start_date", "max_concurrency")
        }
        config["accounts"] = [{"name": f"account-{n:03}", **own} for n in range(self.count)]
        names = [name for one in self.work for name in one.names]
        chosen = catalog(*names, config={"accounts": config["accounts"]})
        (folder / "accounts.yaml").write_text(json.dumps(config), encoding="utf-8")
        (folder / "catalog.json").write_text(json.dumps(chosen), encoding="utf-8")


class Took(NamedTuple):
    """What reading accounts took.

    Attributes:
        usage: The command's own.
        memory: Bytes of all its processes at once, at most; 0 where that cannot be told.
        state: Bytes of the last STATE, of all accounts.
    """

    usage: Usage
    memory: int
    state: int

    @property
    def seconds(self) -> float:
        """From the command to its end."""
        return self.usage.ended - self.usage.started


def accounts(bench: Bench) -> Findings:
    """Read accounts on two workers of the fleet, and one after the other."""
    count, parents = bench.pick((30, 100), (4, 20))
    threads = count // 2
    work = Work(FAMILY)
    seconds: dict[str, float] = {}
    one, two = "one after the other", f"2 workers of {threads} threads"
    with Server(records=0, sizes={PARENTS.name: parents}, latency=_LATENCY) as server:
        rows = count * server.rows(work)
        for label, slots in {one: (1, 1), two: (2, threads)}.items():
            say(f"  {label}")
            config = {**server.config, "max_concurrency": 1}
            seconds[label] = _fleet(Plan(config, (work,), count, rows), *slots).seconds
    table = Table(
        ("", "s in all", "accounts/min", "records/s"),
        [
            (label, f"{taken:.1f}", f"{60 * count / taken:.1f}", f"{rows / taken:,.0f}")
            for label, taken in seconds.items()
        ],
    )
    what, times = "2 workers, times one after the other", seconds[one] / seconds[two]
    return Findings(
        table,
        [Check(what, times, 8, "{:.1f}", at_least=True)],
        {},
        [
            (
                f"{count} accounts of {parents} parents with a list each, one request in flight "
                "per account, as where a vendor's limit is low: some "
                f"{_LATENCY * (parents + 1):.0f} s of waiting for each. From the command to its "
                "end, once; the start of Dask and the making of the tables are in it. One after "
                "the other is the same command with a single slot."
            ),
            (
                "The target is that of the tests, which starts in 0.1 s. target-postgres takes "
                "some 1 s of processor time to start, for each account, and on 2 cores that "
                "would bound the gain, not the network."
            ),
        ],
    )


def many(bench: Bench) -> Findings:
    """Read few and many accounts, in one run of the tap and by a fleet."""
    few, most = bench.pick((10, 100), (2, 6))
    work = Work((OPEN_TASKS,)), Work((SCHEDULES,))
    runs: dict[int, Took] = {}
    fleets: dict[int, Took] = {}
    with Server(records=40, latency=0.01) as server:
        rows = sum(server.rows(one) for one in work)
        for count in (few, most):
            say(f"  {count} accounts")
            plan = Plan(server.config, work, count, count * rows)
            runs[count] = _alone(plan)
            fleets[count] = _fleet(plan, *_SLOTS)
    table = Table(
        ("", "s in all", "peak MB", "MB of all its processes", "KB of STATE"),
        [
            (
                f"{kind}, {count} accounts",
                f"{took.seconds:.1f}",
                f"{took.usage.peak / 1e6:.0f}",
                f"{took.memory / 1e6:.0f}" if took.memory else "-",
                f"{took.state / 1e3:.1f}",
            )
            for kind, found in {"one run": runs, "a fleet": fleets}.items()
            for count, took in found.items()
        ],
    )
    peak = runs[most].usage.peak
    command = fleets[most].usage.peak / fleets[few].usage.peak
    return Findings(
        table,
        [
            Check(f"peak MB of one run, {most} accounts", peak / 1e6, 150, "{:.0f}"),
            Check("KB of STATE for each account", runs[most].state / most / 1e3, 1.0),
            Check(f"peak of the fleet's command, times that with {few} accounts", command, 1.1),
        ],
        {},
        [
            (
                f"{rows} rows of two lists for each account, one of them oldest first. A fleet "
                f"reads {_SLOTS[0] * _SLOTS[1]} accounts at once; the memory of all its "
                "processes, taps and targets included, counts once what they share (PSS)."
            ),
        ],
    )


def _alone(plan: Plan) -> Took:
    """Let one run of the tap read accounts; raises FailedError if a row is missing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan.write(folder)
        command = [sys.executable, "-m", "tap_analytics", "--config", "accounts.yaml"]
        usage = measure([*command, "--catalog", "catalog.json"], folder, _ENV)
        lines = (folder / "out").read_bytes().splitlines()
    plan.check(sum(line.startswith(b'{"type":"RECORD"') for line in lines))
    return Took(usage, usage.peak, len(lines[-1]))


def _fleet(plan: Plan, workers: int, threads: int) -> Took:
    """Let a fleet read accounts; raises FailedError if a row is missing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan.write(folder)
        target = shlex.join([sys.executable, TARGET, str(folder / "loaded")])
        command = [sys.executable, "-m", "tap_analytics.fleet", "--accounts", "accounts.yaml"]
        command += ["--catalog", "catalog.json", "--target", target, "--state", "store"]
        command += ["--workers", str(workers), "--threads", str(threads)]
        with _Memory(str(folder / "loaded")) as memory:
            usage = measure([*command, "--report", "report.json"], folder, _ENV)
        report = json.loads((folder / "report.json").read_bytes())
        state = sum(path.stat().st_size for path in folder.glob("store/states/*"))
    plan.check(report["totals"]["records"])
    return Took(usage, memory.most, state)


class _Memory:
    """Watches how much memory the processes of a fleet take at once, in a `with` block.

    Attributes:
        most: Bytes at most, each page counted once; 0 where there is no /proc.
    """

    def __init__(self, mark: str) -> None:
        """Take what stands on the command line of the fleet."""
        self._mark = mark.encode()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.most = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_LOOKS):
            self.most = max(self.most, sum(map(_share, self._processes())))

    def _processes(self) -> Iterator[Path]:
        """Yield the folders of the command and of all that it started."""
        parents = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parents[folder.name] = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                is_root = b"tap_analytics.fleet\0" in (line := (folder / "cmdline").read_bytes())
                if is_root and self._mark in line:
                    parents[folder.name] = ""
            except OSError:
                continue
        for number in parents:
            above = number
            while parents.get(above):
                above = parents[above]
            if above in parents:  # and not 0, above the first process of the system
                yield Path("/proc", number)


def _share(folder: Path) -> int:
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
