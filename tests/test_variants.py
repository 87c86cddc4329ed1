"""Every stream of the vendors under every way in which its list may behave.

A list that behaves in another way than the tap expects gives all its rows, or its stream fails
and says why. It is never complete with less. What there is to try follows from declarations
alone: a stream that is added is tried without a word about it here.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.apis import PACKAGES
from tap_analytics.engine.errors import Gone, ReadError
from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.contracts import UPSTREAMS
from tap_analytics.sandbox.variants import VARIANTS, variants
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import served_rows, vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.helpers.support import Record, Result

    Varied = dict[str, str]
    """A way to behave, by stream."""

PAGE = 7
PAGE_SIZES = {f"{api.name}_page_size": PAGE for api in UPSTREAMS}
ROWS = 18
"""Rows of each list that varies: three pages, and more than a vendor may put on one by default."""
ROWS_ABOVE = 4
"""Rows of a list that others are below."""
EMPTY_PAGES = {"tap_analytics.engine.pages.judge:_MOST_EMPTY_PAGES": 30}
"""Some lists go on with empty pages for ever. That a thousand are read the reader is tested for."""
AT_ONCE = 2
FEW = 3
ROUTES = {route.stream: route for api in UPSTREAMS for route in api.routes}
_CLASSES: list[Any] = [
    stream
    for package in PACKAGES
    for vendor in package.upstreams.values()
    for stream in vendor.streams
]
STREAMS = {
    str(stream.name): stream for stream in _CLASSES if not (stream.inside and stream.inside_always)
}
"""Those that have lists of their own."""
BY_STREAM = {
    place.split(".")[1]: (place, names)
    for place, names in variants(UPSTREAMS).items()
    if place.split(".")[1] in STREAMS
}
"""The place of each list that the tap reads, and the ways in which it may behave."""

COUNTS = Counter(name for _, names in BY_STREAM.values() for name in names)
RARE = {name for name, count in COUNTS.items() if count < 5}


def above(stream: str) -> set[str]:
    """Return the lists that one is below, as the tap sees it and as the server does."""
    parent: Any = STREAMS[stream].parent_stream_type
    return {str(parent.name) if parent else "", ROUTES[stream].parent} & BY_STREAM.keys()


def depth(stream: str) -> int:
    """Return how many lists one is below."""
    return max((1 + depth(higher) for higher in above(stream)), default=0)


INNER = set[str]().union(*map(above, BY_STREAM))


def plan() -> Iterator[Varied]:
    """Yield what varies in each run, so that each list varies in each way once.

    Lists that others are below vary apart from those, so that these are there: each depth on its
    own, and all that nothing is below at once. Lists begin with what few may do, and then at
    different variants, so that a few runs of each kind try every variant on some list.
    """
    kinds: dict[int, dict[str, deque[str]]] = {}
    for turn, (stream, (_, names)) in enumerate(BY_STREAM.items()):
        ways = deque(name for name in names if name not in RARE)
        ways.rotate(turn)
        ways.extendleft(name for name in names if name in RARE)
        kinds.setdefault(depth(stream) if stream in INNER else -1, {})[stream] = ways
    runs = [
        [
            {stream: name for stream, name in zip(ways, chosen, strict=True) if name}
            for chosen in zip_longest(*ways.values())
        ]
        for ways in kinds.values()
    ]
    for some in zip_longest(*runs):
        yield from filter(None, some)


def sizes(streams: Iterable[str]) -> dict[str, int]:
    """Return how many rows the lists have: many if they vary, few if others are below them."""
    return {**dict.fromkeys(INNER, ROWS_ABOVE), **dict.fromkeys(streams, ROWS)}


def lengthen(sandbox: Sandbox, streams: Iterable[str]) -> None:
    """Give lists that have as many rows as their vendor has some more."""
    store = sandbox.store
    for stream in streams:
        if ROUTES[stream].exactly is not None:
            row = store.expected(stream)[0]
            for number in range(ROWS):
                store.append(stream, {**row, "id": 10**6 + number, "name": f"{number}"})


def read(varied: Varied) -> list[str]:
    """Let the tap read lists that vary; return what is wrong about the outcome."""
    chosen = [f"{BY_STREAM[stream][0]}={name}" for stream, name in varied.items()]
    with Sandbox(ROWS, sizes=sizes(varied), upstreams=True, variants=chosen) as sandbox:
        lengthen(sandbox, varied)
        config = settings(sandbox, **PAGE_SIZES, max_retries=1, all_streams=True)
        chosen_catalog = vendor_catalog(sandbox, *varied)
        result = run_tap(config, catalog_=chosen_catalog, timeout=300, constants=EMPTY_PAGES)
        found = {
            f"{stream} {name}": wrong(result, served_rows(sandbox.store, stream), stream, name)
            for stream, name in varied.items()
        }
    assert result.status in (0, 1), result.stderr[-3000:]
    return [f"{which}: {what}" for which, what in found.items() if what]


def wrong(result: Result, wanted: list[Record], stream: str, name: str = "") -> str:
    """Say what is wrong about what was read of a stream; nothing if it is right."""
    report = result.report.get(stream, {"status": "unread", "reason": ""})
    if report["status"] != "complete":
        return "" if report["reason"] else "failed without a reason"
    rows = result.records[stream]
    if not rows and means_nothing(stream, name):
        return ""
    keys = result.schemas[stream]["key_properties"]
    known = [key for key in keys if all(row.get(key) is not None for row in wanted)]
    missing = {key(row, known) for row in wanted} - {key(row, known) for row in rows}
    if missing:
        return f"complete without {len(missing)} of {len(wanted)}"
    is_short = known != keys and len(rows) < len(wanted)
    return f"complete with {len(rows)} of {len(wanted)}" if is_short else ""


def key(row: Mapping[str, Any], names: list[str]) -> tuple[str, ...]:
    """Return a row's key as text: what types the vendor gave its parts does not matter here."""
    return tuple(str(row[name]) for name in names)


def means_nothing(stream: str, name: str) -> bool:
    """Tell whether a stream takes a refusal for the word that there is nothing below a row."""
    word, _, status = name.partition("-")
    if word != "absent":
        return False
    error = (Gone if status == "404" else ReadError)(f"answered {status}")
    error.status = int(status)
    return bool(STREAMS[stream].is_nothing(None, error))


@cache
def runs() -> tuple[Varied, ...]:
    return tuple(plan())


def read_all(some: Iterable[Varied]) -> list[str]:
    """Return what is wrong about the outcomes of runs."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [line for lines in pool.map(read, some) for line in lines]


def test_each_list_varies_in_each_way_once_and_never_with_one_above_it() -> None:
    assert len(BY_STREAM) > 200
    tried = sorted((stream, name) for varied in runs() for stream, name in varied.items())
    assert tried == sorted((s, name) for s, (_, names) in BY_STREAM.items() for name in names)
    for varied in runs():
        higher = set[str]().union(*map(above, varied))
        while higher:
            assert not higher & varied.keys()
            higher = set[str]().union(*map(above, higher))
    few = {name for varied in runs()[: FEW * 3] for name in varied.values()}
    assert few == {variant.name for variant in VARIANTS}


def test_no_stream_is_complete_with_less() -> None:
    """A few runs, in which every list varies in some ways and most variants are tried."""
    assert read_all(runs()[:FEW]) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_no_stream_is_complete_with_less_in_any_way(part: int) -> None:
    """All of them, in parts that may be tried side by side."""
    assert read_all(runs()[FEW + part :: 4]) == []
