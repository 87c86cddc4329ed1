"""Memory: does it grow with the number of records?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.bench import medians, say
from tests.benchmarks.cases.tables import compared
from tests.benchmarks.results import Check, Findings
from tests.benchmarks.server import Server
from tests.benchmarks.work import OPEN_TASKS, SCHEDULES, Work

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench, Sample

_MOST = 150.0


def flat(bench: Bench) -> Findings:
    """Read a list that streams and one that is read whole before it is written, in two sizes."""
    few, many = bench.pick((100_000, 1_000_000), (2_000, 20_000))
    samples: dict[str, Sample | str] = {}
    checks: list[Check] = []
    for endpoint, kind in ((OPEN_TASKS, "as they come"), (SCHEDULES, "oldest first")):
        peaks = []
        for records in (few, many):
            label = f"{records:,} of `{endpoint.name}`, {kind}"
            say(f"  {label}")
            with Server(records=0, sizes={endpoint.name: records}) as server:
                work = Work((endpoint,), 1000)
                runs = [bench.run(server, bench.ours, work, records) for _ in range(bench.rounds)]
            samples[label] = sample = medians(runs)
            peaks.append(sample.peak)
        checks += [
            Check(f"peak MB with {many:,} records, {kind}", peaks[1] / 1e6, _MOST, "{:.0f}"),
            Check(f"peak, times that with {few:,} records, {kind}", peaks[1] / peaks[0], 1.1),
        ]
    first = next(iter(samples))
    return Findings(compared(samples, first), checks, notes=["1,000 records a page."])
