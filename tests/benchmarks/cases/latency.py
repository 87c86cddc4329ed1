"""Servers that take their time: how much of it is spent waiting."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from tests.benchmarks.bench import Sample
from tests.benchmarks.cases.tables import bars, compared, ratio
from tests.benchmarks.results import Check, Findings
from tests.benchmarks.server import Server
from tests.benchmarks.tools import Airbyte, Dlt, Ours, PlainSdk
from tests.benchmarks.work import FAMILY, OPEN_TASKS, PARENTS, Work

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

_LATENCY = 0.05
_PEERS = (PlainSdk.name, Dlt.name, Airbyte.name)


def one_list(bench: Bench) -> Findings:
    """Read one list with 8 requests in flight and with one."""
    work = Work((OPEN_TASKS,), concurrency=8)
    records = bench.pick(200, 30) * work.page_size
    eight, one = f"{Ours.label}, 8 in flight", f"{Ours.label}, 1 in flight"
    contenders = {
        eight: (bench.ours, work),
        one: (bench.ours, replace(work, concurrency=1)),
        **bench.contenders(work, *_PEERS),
    }
    with Server(records=0, sizes={OPEN_TASKS.name: records}, latency=_LATENCY) as server:
        samples = bench.compare(server, contenders, records)
    check = Check("8 in flight, times 1 in flight", ratio(samples, eight, one), 6, at_least=True)
    return Findings(compared(samples, one), [check], bars(samples))


def parents(bench: Bench) -> Findings:
    """Read the children of many parents, with default settings and with 20 requests in flight."""
    work = Work(FAMILY)
    count = bench.pick(500, 60)
    default, twenty = f"{Ours.label}, default", f"{Ours.label}, 20 in flight"
    contenders = {
        default: (bench.ours, work),
        twenty: (bench.ours, replace(work, concurrency=20)),
        **bench.contenders(work, *_PEERS),
    }
    with Server(records=0, sizes={PARENTS.name: count}, latency=_LATENCY) as server:
        records = server.rows(work)
        samples = bench.compare(server, contenders, records)
    more_pages = ceil(count / work.page_size) - 1
    ideal = _LATENCY * (1 + ceil(more_pages / 20) + ceil(count / 20))
    best = samples[twenty]
    reading = best.reading / ideal if isinstance(best, Sample) else None
    return Findings(
        compared(samples, PlainSdk.label),
        [
            Check(
                f"default settings, times the {PlainSdk.label}",
                ratio(samples, default, PlainSdk.label),
                8,
                at_least=True,
            ),
            Check("20 in flight, times the ideal seconds", reading, 1.15),
        ],
        bars(samples),
        [
            (
                f"The ideal for 20 in flight is {ideal:.2f} s: the first page, the other "
                f"{more_pages} at once, then {count} children, each for {_LATENCY * 1000:.0f} ms."
            )
        ],
    )
