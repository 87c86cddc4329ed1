"""Many accounts: how much two workers gain over one account after the other."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.bench import say
from tests.benchmarks.process import FailedError, measure
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.work import FAMILY, PARENTS, Work
from tests.fleet.support import TARGET
from tests.helpers.support import ROOT, catalog

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

_LATENCY = 0.05


def accounts(bench: Bench) -> Findings:
    """Read accounts on two workers of the fleet, and one after the other."""
    count, parents = bench.pick((30, 100), (4, 20))
    threads = count // 2
    work = Work(FAMILY)
    seconds: dict[str, float] = {}
    one, two = "one after the other", f"2 workers of {threads} threads"
    with Server(records=0, sizes={PARENTS.name: parents}, latency=_LATENCY) as server:
        rows = count * server.rows(work)
        for label, workers in {one: (1, 1), two: (2, threads)}.items():
            say(f"  {label}")
            seconds[label] = _run(server.config, work, count, workers, rows)
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
                f"per account, as where a vendor's limit is low: {0.05 * (parents + 1):.0f} s of "
                "waiting for each. From the command to its end, Dask's start and the making of "
                "the tables included, once. One after the other is the same command with a "
                "single slot."
            ),
            (
                "Taps are forks of one process per worker. The target is that of the tests, which "
                "starts in 0.1 s; target-postgres takes some 1 s of processor time for each "
                "account, which on 2 cores bounds how many can be read at once."
            ),
        ],
    )


def _run(
    config: dict[str, Any], work: Work, count: int, workers: tuple[int, int], rows: int
) -> float:
    """Return the seconds that a fleet takes; raises FailedError if a row is missing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = f"{work.api}_api_key"
        around = {part: value for part, value in config.items() if part.startswith(work.api)}
        around.pop(key)
        plan = {
            **around,
            "max_concurrency": 1,
            "accounts": [{"name": f"account-{n}", key: config[key]} for n in range(count)],
        }
        (folder / "accounts.yaml").write_text(json.dumps(plan), encoding="utf-8")
        (folder / "catalog.json").write_text(json.dumps(catalog(*work.names)), encoding="utf-8")
        target = shlex.join([sys.executable, TARGET, str(folder / "loaded")])
        processes, threads = map(str, workers)
        command = [sys.executable, "-m", "tap_analytics.fleet", "--accounts", "accounts.yaml"]
        command += ["--catalog", "catalog.json", "--target", target, "--state", "store"]
        command += ["--workers", processes, "--threads", threads, "--report", "report.json"]
        usage = measure(command, folder, {"PYTHONPATH": str(ROOT)})
        report = json.loads((folder / "report.json").read_bytes())
    if report["totals"]["records"] != rows:
        message = f"read {report['totals']['records']:,} of {rows:,} records"
        raise FailedError(message)
    return usage.ended - usage.started
