"""Runs after the first, and runs over many parents: requests and state."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.bench import Sample, say
from tests.benchmarks.cases.tables import compared, megabytes
from tests.benchmarks.process import FailedError
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.tools import Ours, PlainSdk
from tests.benchmarks.work import CHILDREN, FAMILY, PARENTS, Work

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

_MOST_STATE = 64 * 1024
_NOISE = 1.2
"""How much slower than linear still counts as linear."""


def nothing_changed(bench: Bench) -> Findings:
    """Read twice; the second time the state says that everything is known."""
    count = bench.pick(500, 60)
    work = Work(FAMILY)
    with (
        Server(records=0, sizes={PARENTS.name: count}) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        records = server.rows(work)
        first = bench.run(server, bench.ours, work, records)
        state = Path(folder, "state.json")
        state.write_text(json.dumps(first.output.state), encoding="utf-8")
        second = bench.run(server, bench.ours, replace(work, state=state))
    children = second.requests.streams.get(CHILDREN.name, 0)
    return Findings(
        compared({"first run": first, "second run": second}, "first run"),
        [
            Check("requests for children", children, 0, "{:.0f}"),
            Check(
                "requests for pages of parents, times those needed",
                second.requests.streams[PARENTS.name] / first.requests.streams[PARENTS.name],
                1,
            ),
        ],
    )


def many_parents(bench: Bench) -> Findings:
    """Read few and many parents, and the few with the plain SDK too."""
    few, many = bench.pick((3_000, 10_000), (60, 200))
    samples: dict[str, Sample | str] = {}
    for count in (few, many):
        label = f"{Ours.label}, {count:,} parents"
        with Server(records=0, sizes={PARENTS.name: count}) as server:
            records = server.rows(Work(FAMILY))
            contenders = {label: (bench.ours, Work(FAMILY))}
            samples |= bench.compare(server, contenders, records)
            if count == few and PlainSdk.name in bench.tools:
                samples |= _plainly(bench, server, count, records)
    return Findings(
        _states(samples),
        _growth(samples[f"{Ours.label}, {few:,} parents"], samples[label], many / few),
        notes=[
            f"Linear means: at most {_NOISE} times what the number of parents asks for.",
            "The plain SDK tap runs once, over the fewer: its state grows with their square.",
        ],
    )


def _plainly(bench: Bench, server: Server, count: int, records: int) -> dict[str, Sample | str]:
    label = f"{PlainSdk.label}, {count:,} parents"
    say(f"  {label}, once")
    try:
        return {label: bench.run(server, bench.tools[PlainSdk.name], Work(FAMILY), records)}
    except FailedError as error:
        return {label: str(error)}


def _growth(few: Sample | str, many: Sample | str, growth: float) -> list[Check]:
    names = ("seconds of reading, times those of linear growth", "state, share of the output")
    longest = "longest STATE, KB"
    if isinstance(few, str) or isinstance(many, str):
        return [
            Check(names[0], None, _NOISE),
            Check(names[1], None, 0.1, "{:.2%}"),
            Check(longest, None, _MOST_STATE / 1024, "{:.1f}"),
        ]
    shares = [sample.output.state_size / sample.output.size for sample in (few, many)]
    return [
        Check(names[0], many.reading / few.reading / growth, _NOISE),
        Check(names[1], max(shares), 0.1, "{:.2%}"),
        Check(longest, many.output.longest_state / 1024, _MOST_STATE / 1024, "{:.1f}"),
    ]


def _states(samples: dict[str, Sample | str]) -> Table:
    headers = ("", "s reading", "MB of output", "MB of state", "longest STATE, KB", "peak MB")
    return Table(headers, [(label, *_cells(sample)) for label, sample in samples.items()])


def _cells(sample: Sample | str) -> tuple[str, ...]:
    if isinstance(sample, str):
        return (f"failed: {sample}", "", "", "", "")
    written = sample.output
    return (
        f"{sample.reading:.2f}",
        f"{written.size / 1e6:,.1f}",
        f"{written.state_size / 1e6:,.3f}",
        f"{written.longest_state / 1024:,.1f}",
        megabytes(sample.peak),
    )
