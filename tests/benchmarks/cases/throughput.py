"""How many records a second: a flat list from a server that answers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.bench import say
from tests.benchmarks.cases.tables import bars, compared, ratio
from tests.benchmarks.results import Check, Findings
from tests.benchmarks.server import Server
from tests.benchmarks.tools import TOOLS, Dlt, Floor, Ours, PlainSdk
from tests.benchmarks.work import OPEN_TASKS, Work

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.cases.tables import Samples


def pages_of_100(bench: Bench) -> Findings:
    """Read at the size of page that most APIs have."""
    samples, notes = _read(bench, page_size=100)
    return Findings(
        compared(samples, PlainSdk.label),
        [
            _times(samples, PlainSdk.label, 4),
            _times(samples, Dlt.label, 1.5),
            _times(samples, Floor.label, 0.35),
        ],
        bars(samples),
        notes,
    )


def pages_of_1000(bench: Bench) -> Findings:
    """Read at a size of page where requests cost next to nothing."""
    samples, notes = _read(bench, page_size=1000)
    checks = [_times(samples, PlainSdk.label, 8)]
    return Findings(compared(samples, PlainSdk.label), checks, bars(samples), notes)


def _read(bench: Bench, page_size: int) -> tuple[Samples, list[str]]:
    records = bench.pick(100_000, 5_000)
    work = Work((OPEN_TASKS,), page_size)
    contenders = bench.contenders(work, *(tool.name for tool in TOOLS))
    with Server(records=0, sizes={OPEN_TASKS.name: records}) as server:
        say("  filling the server's cache")
        bench.run(server, bench.ours, work, records)
        samples = bench.compare(server, contenders, records)
    return samples, [
        f"{records:,} records of `{OPEN_TASKS.name}`: 17 fields, about 600 bytes.",
        "All bodies come from the server's cache.",
    ]


def _times(samples: Samples, other: str, target: float) -> Check:
    what = f"records/s, times those of {other}"
    return Check(what, ratio(samples, Ours.label, other), target, at_least=True)
