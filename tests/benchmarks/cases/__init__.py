"""The cases, in the order in which they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.cases import (
    discovery,
    fleet,
    increments,
    kills,
    latency,
    limits,
    loads,
    memory,
    project,
    throughput,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.results import Findings


class Case(NamedTuple):
    """A piece of work with its targets."""

    name: str
    title: str
    run: Callable[[Bench], Findings]


CASES = (
    Case("pages-of-100", "100,000 records, 100 a page, no latency", throughput.pages_of_100),
    Case("pages-of-1000", "100,000 records, 1,000 a page, no latency", throughput.pages_of_1000),
    Case("oldest-first", "100,000 records, put in order", throughput.oldest_first),
    Case("load-list", "50,000 rows of one list into PostgreSQL", loads.one_list),
    Case("load-family", "500 parents with 25,000 children into PostgreSQL", loads.family),
    Case("load-again", "A second run into PostgreSQL, 1 % of the parents changed", loads.again),
    Case("load-project", "37 streams of 1,000 rows with `meltano run`", project.project),
    Case("one-list", "One list of 200 pages, 50 ms latency", latency.one_list),
    Case("parents", "500 parents with children, 50 ms latency", latency.parents),
    Case("unknown-limit", "300 children, 20 requests/s allowed, unknown to it", limits.unknown),
    Case("nothing-changed", "500 parents, nothing changed", increments.nothing_changed),
    Case("many-parents", "3,000 and 10,000 parents, no latency", increments.many_parents),
    Case("memory", "1,000,000 and 100,000 records", memory.flat),
    Case("kills", "Killed 50 times at random and resumed", kills.killed),
    Case("accounts", "30 accounts, 50 ms latency, two workers", fleet.accounts),
    Case("many-accounts", "100 accounts, in one run and by a fleet", fleet.many),
    Case("discover", "Starting up beside `import singer_sdk`", discovery.discover),
)
