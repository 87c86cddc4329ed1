"""A server with a limit that nobody told the tap."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from tests.benchmarks.bench import Sample
from tests.benchmarks.cases.tables import compared
from tests.benchmarks.results import Check, Findings
from tests.benchmarks.server import Server
from tests.benchmarks.tools import Ours
from tests.benchmarks.work import FAMILY, PARENTS, Work

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

_RATE = 20


def unknown(bench: Bench) -> Findings:
    """Read children as fast as the server allows, without being refused often."""
    work = Work(FAMILY)
    count = bench.pick(300, 60)
    with Server(records=0, sizes={PARENTS.name: count}, rate=_RATE) as server:
        records = server.rows(work)
        samples = bench.compare(server, {Ours.label: (bench.ours, work)}, records)
    needed = ceil(count / work.page_size) + count
    # The server lets the first of them through at once.
    ideal = ceil(needed / _RATE) - 1
    found = samples[Ours.label]
    sample = found if isinstance(found, Sample) else None
    return Findings(
        compared(samples, Ours.label),
        [
            Check("times the ideal seconds", sample.reading / ideal if sample else None, 1.2),
            Check(
                "answers with 429",
                sample.requests.repeats / sample.requests.total if sample else None,
                0.02,
                "{:.1%}",
            ),
        ],
        notes=[
            (
                f"The ideal is {ideal} s: {needed} requests, {_RATE} at once and {_RATE} in every "
                "second that follows."
            ),
            "Answers with 429 are those requests that had to be sent again.",
        ],
    )
