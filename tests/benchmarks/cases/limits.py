"""A server with a limit that nobody told the tap."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from tests.benchmarks.bench import medians, say
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
    runs = []
    for number in range(bench.rounds):
        say(f"  round {number + 1}: {Ours.label}")
        # A server of its own for each: of an old one, the run before used a part of the limit.
        with Server(records=0, sizes={PARENTS.name: count}, rate=_RATE) as server:
            runs.append(bench.run(server, bench.ours, work, server.rows(work)))
    sample = medians(runs)
    needed = ceil(count / work.page_size) + count
    # The server lets the first of them through at once.
    ideal = ceil(needed / _RATE) - 1
    asked = sample.requests
    return Findings(
        compared({Ours.label: sample}, Ours.label),
        [
            Check("times the ideal seconds", sample.reading / ideal, 1.2),
            Check("answers with 429", asked.repeats / asked.total, 0.02, "{:.1%}"),
        ],
        notes=[
            (
                f"The ideal is {ideal} s: {needed} requests, {_RATE} at once and {_RATE} in every "
                "second that follows."
            ),
            "Answers with 429 are those requests that had to be sent again.",
        ],
    )
