"""How many records a second: a flat list from a server that answers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.bench import say
from tests.benchmarks.cases.tables import bars, compared, ratio
from tests.benchmarks.results import Check, Findings
from tests.benchmarks.server import Server
from tests.benchmarks.tools import TOOLS, Dlt, Floor, Ours, PlainSdk
from tests.benchmarks.work import OPEN_TASKS, SCHEDULES, Work

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.cases.tables import Samples
    from tests.benchmarks.work import Endpoint


def pages_of_100(bench: Bench) -> Findings:
    """Read at the size of page that most APIs have."""
    return _findings(*_read(bench, OPEN_TASKS, 100), plain=5, floor=0.85)


def pages_of_1000(bench: Bench) -> Findings:
    """Read at a size of page where requests cost next to nothing."""
    return _findings(*_read(bench, OPEN_TASKS, 1000), plain=8, floor=0.9)


def oldest_first(bench: Bench) -> Findings:
    """Read a list that is put in order before it is written, beside tools that do not."""
    samples, notes = _read(bench, SCHEDULES, 1000, Ours.name, Floor.name)
    checks = [_times(samples, Floor.label, 0.6)]
    return Findings(compared(samples, Floor.label), checks, bars(samples), notes)


def _findings(samples: Samples, notes: list[str], *, plain: float, floor: float) -> Findings:
    checks = [
        _times(samples, PlainSdk.label, plain),
        _times(samples, Dlt.label, 1.5),
        _times(samples, Floor.label, floor),
    ]
    return Findings(compared(samples, PlainSdk.label), checks, bars(samples), notes)


def _read(
    bench: Bench, endpoint: Endpoint, page_size: int, *names: str
) -> tuple[Samples, list[str]]:
    records = bench.pick(100_000, 5_000)
    work = Work((endpoint,), page_size)
    contenders = bench.contenders(work, *(names or (tool.name for tool in TOOLS)))
    with Server(records=0, sizes={endpoint.name: records}) as server:
        say("  filling the server's cache")
        bench.run(server, bench.ours, work, records)
        samples = bench.compare(server, contenders, records)
    return samples, [
        f"{records:,} records of `{endpoint.name}`, {page_size:,} a page.",
        "All bodies come from the server's cache.",
    ]


def _times(samples: Samples, other: str, target: float) -> Check:
    what = f"records/s, times those of {other}"
    return Check(what, ratio(samples, Ours.label, other), target, at_least=True)
