"""Every stream of the vendors under every way in which its list may behave.

A list that behaves in another way than the tap expects gives all its rows, or its stream fails
and says why. It is never complete with less.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.contracts import CORE, UPSTREAMS
from tap_analytics.sandbox.variants import variants
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import FURTHER, vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.helpers.support import Record, Result

PAGE = 10
ROWS = 25
"""Rows of each list: three pages, and more than what a vendor may have on one by default."""
SIZES = {"events": 12, "metrics_values": 90, "user": 1}
PAGE_SIZES = {f"{api.name}_page_size": PAGE for api in UPSTREAMS}
ABOVE = {route.parent for api in CORE for route in api.routes if route.parent}
"""Lists whose rows lead to other lists: they vary alone, so that the others are there."""
READ = {
    route.stream for api in CORE for route in api.routes if not route.stream.startswith("recycled_")
}
"""What the tap lists, unless it is asked for all."""
BESIDES = {stream.name for stream in FURTHER if stream.api == "workforce"}
"""What Factorial has besides."""
EMPTY_PAGES = {"tap_analytics.engine.pages.judge:_MOST_EMPTY_PAGES": 30}
"""Some lists go on with empty pages for ever. That a thousand are read the reader is tested for."""
AT_ONCE = 2
FEW = 6


def plan(streams: set[str]) -> Iterator[dict[str, str]]:
    """Yield what varies in each run: variants by list, all of which are tried once.

    Lists begin at different variants, so that a few runs try each on some list.
    """
    by_list = {
        place: deque(names)
        for place, names in variants(UPSTREAMS).items()
        if place.split(".")[1] in streams
    }
    for turn, names in enumerate(by_list.values()):
        names.rotate(turn)
    for above in (False, True):
        places = [place for place in by_list if (place.split(".")[1] in ABOVE) == above]
        for chosen in zip_longest(*(by_list[place] for place in places)):
            yield {place: name for place, name in zip(places, chosen, strict=True) if name}


def lengthen(sandbox: Sandbox) -> None:
    """Give the lists that are short by nature as many rows as the others."""
    store = sandbox.store
    for api in CORE:
        for route in api.routes:
            if route.exactly is not None:
                row = store.expected(route.stream)[0]
                for number in range(ROWS):
                    store.append(route.stream, {**row, "id": 10**6 + number, "name": f"{number}"})
            elif route.parent and route.context and not route.single:
                first = store.expected(route.stream)[0]
                parent = str(first.pop(route.context))
                key = next(name for name in ("id", "user_id", "metricName") if name in first)
                for number in range(ROWS):
                    row = {**first, key: f"more{number}", "version": 10**6 + number}
                    store.append(route.stream, row, parent=parent)


def read(varied: dict[str, str]) -> list[str]:
    """Let the tap read lists that vary; return what is wrong about the outcome."""
    streams = [place.split(".")[1] for place in varied]
    chosen = [f"{place}={name}" for place, name in varied.items()]
    sizes = SIZES if ABOVE.intersection(streams) else SIZES | {"pages": 2}
    with Sandbox(ROWS, sizes=sizes, upstreams=True, variants=chosen) as sandbox:
        lengthen(sandbox)
        config = settings(sandbox, **PAGE_SIZES, max_retries=1, all_streams=True)
        chosen_catalog = vendor_catalog(sandbox, *streams)
        result = run_tap(config, catalog_=chosen_catalog, timeout=120, constants=EMPTY_PAGES)
        found = [
            (stream, name, wrong(result, sandbox.store.expected(stream), stream))
            for stream, name in zip(streams, varied.values(), strict=True)
        ]
    assert result.status in (0, 1), result.stderr[-3000:]
    return [f"{stream} {name}: {what}" for stream, name, what in found if what]


def wrong(result: Result, wanted: list[Record], stream: str) -> str:
    """Say what is wrong about what was read of a stream; nothing if it is right."""
    report = result.report.get(stream, {"status": "unread", "reason": ""})
    if report["status"] != "complete":
        return "" if report["reason"] else "failed without a reason"
    keys = result.schemas[stream]["key_properties"]
    rows = result.records[stream]
    if wanted and all(row.get(name) is not None for row in wanted for name in keys):
        missing = {key(row, keys) for row in wanted} - {key(row, keys) for row in rows}
        return f"complete without {len(missing)} of {len(wanted)}" if missing else ""
    return f"complete with {len(rows)} of {len(wanted)}" if len(rows) < len(wanted) else ""


def key(row: Record, names: list[str]) -> tuple[str, ...]:
    """Return a row's key as text: what types the vendor gave its parts does not matter here."""
    return tuple(str(row[name]) for name in names)


def read_all(runs: Iterable[dict[str, str]]) -> list[str]:
    """Return what is wrong about the outcomes of runs."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [line for lines in pool.map(read, runs) for line in lines]


def test_no_stream_is_complete_with_less() -> None:
    """A few runs, in which every list varies in some ways and every variant is tried somewhere."""
    assert read_all(islice(plan(READ), FEW)) == []


@pytest.mark.slow
def test_no_stream_is_complete_with_less_in_any_way() -> None:
    """All of them."""
    assert read_all(chain(islice(plan(READ), FEW, None), plan(BESIDES))) == []
