"""One stream and those below it: the order of rows, and what failures leave of them."""

from __future__ import annotations

import errno
import json
import random
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.errors import ClosedOutput, ReadError, TooSlow
from tap_analytics.engine.output.report import COMPLETE, DENIED, FAILED, INTERRUPTED, Report
from tap_analytics.engine.pages.lane import Lane
from tap_analytics.engine.run import listing, spool
from tap_analytics.engine.run.access import Access
from tap_analytics.engine.run.bookmarks import Entry
from tap_analytics.engine.run.listing import Listing
from tap_analytics.engine.run.reading import Reading
from tap_analytics.engine.run.sync import Sync
from tap_analytics.engine.sdk import ABORTED
from tap_analytics.engine.values import times
from tap_analytics.tap import TapAnalytics
from tests.engine.doubles import Asked, Reply, Server, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.run.outlet import Outlet
    from tap_analytics.engine.stream import AnalyticsStream

ROOT, CHILD = "dynamic_configs", "dynamic_configs_versions"
LONG_AGO = times.micros("2024-01-01") // 1000
AT = "replication_key_value"


class Paths(Server):
    """Answers each path with its own replies in turn, and what it does not know with no rows."""

    def __init__(self, replies: dict[str, list[Reply]]) -> None:
        super().__init__(said())
        self.by_path = replies

    def _take(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            replies = self.by_path.get(asked.path.partition("?")[0].removeprefix("/v1/"), [])
            return replies.pop(0) if replies else self.replies[0]

    def times_asked(self, end: str) -> int:
        return sum(asked.path.partition("?")[0].endswith(end) for asked in self.asked)


class Taken:
    """An outlet that remembers rows and moves in the order they came."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.events: list[Any] = []
        self.failure: Exception | None = None

    def entry(self, stream: str, account: str | None) -> Entry:
        return Entry(self.state, stream, account)

    def write(self, lines: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        for line in lines.splitlines():
            record = json.loads(line)["record"]
            self.events.append(record.get("version") or record["id"])

    def moved(self) -> None:
        value = self.at(ROOT)
        self.events.append("-" if value is None else value - LONG_AGO)

    def at(self, stream: str) -> Any:
        return self.entry(stream, None).read().get(AT)

    def pause(self) -> float | None:
        return None


def said(*rows: dict[str, Any], total: int | None = None) -> Reply:
    """Return a page of a list that has so many rows."""
    number = len(rows) if total is None else total
    pagination = {"totalItems": number, "nextPage": "2" if number > len(rows) else None}
    return Reply(body=json.dumps({"data": rows, "pagination": pagination}).encode())


def in_pages(rows: list[dict[str, Any]], size: int) -> list[Reply]:
    """Return the pages of a list."""
    pages = []
    for start in range(0, len(rows), size):
        following = "more" if start + size < len(rows) else None
        said_of_it = {"totalItems": len(rows), "nextPage": following}
        body = {"data": rows[start : start + size], "pagination": said_of_it}
        pages.append(Reply(body=json.dumps(body).encode()))
    return pages


def config_row(name: str | None, seconds: int) -> dict[str, Any]:
    return {"id": name, "lastModifiedTime": LONG_AGO + seconds}


def version(name: str, number: int, seconds: int = 0) -> dict[str, Any]:
    return {"id": name, "version": number, "lastModifiedTime": LONG_AGO + seconds}


def below(name: str) -> str:
    return f"dynamic_configs/{name}/versions"


@contextmanager
def opened(
    replies: dict[str, list[Reply]],
    stream: str = ROOT,
    state: dict[str, Any] | None = None,
    **config: Any,
) -> Iterator[tuple[Sync, Taken, Paths]]:
    with Paths(replies).running() as server:
        tap = TapAnalytics(
            config={
                "experimentation_api_key": "a-key",
                "experimentation_base_url": server.url,
                "max_concurrency": 1,
                "max_retries": 0,
                **config,
            }
        )
        (account,) = accounts(tap.config)
        access = Access(account)
        taken = Taken({"bookmarks": state} if state else {})
        found = cast("AnalyticsStream", tap.streams[stream])
        sync = Sync(Reading(found, access, cast("Outlet", taken), Report()))
        try:
            yield sync, taken, cast("Paths", server)
        finally:
            access.close()


def child_of(sync: Sync) -> Reading:
    return next(one for one in sync.root.family if one.name == CHILD)


def three(**more: list[Reply]) -> dict[str, list[Reply]]:
    """Return three rows, newest first, with a version or two below each."""
    return {
        "dynamic_configs": [said(config_row("c", 3), config_row("b", 2), config_row("a", 1))],
        below("a"): [said(version("a", 12), version("a", 11))],
        below("b"): [said(version("b", 21))],
        below("c"): [said(version("c", 31))],
    } | {below(name): replies for name, replies in more.items()}


def test_children_follow_their_parents_from_the_oldest_on() -> None:
    with opened(three()) as (sync, taken, _):
        sync.open()
        sync.go()
        assert taken.events == ["a", 11, 12, 1, "b", 21, 2, "c", 31, 3, 3]
        assert {one.tally.status for one in sync.root.family} == {COMPLETE}
        assert [one.tally.records for one in sync.root.family] == [3, 4, 0]
        assert taken.at(CHILD) == LONG_AGO


@pytest.mark.parametrize("status", [500, 403])
def test_a_bookmark_holds_at_a_row_whose_child_failed(status: int) -> None:
    with opened(three(b=[Reply(status=status)])) as (sync, taken, _):
        sync.go()
        assert taken.events == ["a", 11, 12, 1, "b", 2, "c", 31, 2, 2]
        child = child_of(sync)
        assert child.tally.status == (FAILED if status == 500 else DENIED)
        assert sync.root.tally.status == COMPLETE
        assert taken.at(CHILD) is None
        state = taken.state["bookmarks"]
    with opened(three(), state=state) as (sync, taken, _):
        sync.go()
        assert taken.events == ["b", 21, 2, "c", 31, 3, 3]


def test_a_bookmark_passes_a_row_whose_child_is_gone() -> None:
    with opened(three(b=[Reply(status=404)])) as (sync, taken, _):
        sync.go()
        assert taken.events == ["a", 11, 12, 1, "b", 2, "c", 31, 3, 3]
        assert child_of(sync).tally.skipped == 1
        assert child_of(sync).tally.status == COMPLETE


def test_a_bookmark_waits_until_a_child_is_there() -> None:
    gone = {name: [Reply(status=404)] for name in "ab"}
    with opened(three(**gone)) as (sync, taken, _):
        sync.go()
        assert taken.events == ["a", "-", "b", "-", "c", 31, 3, 3]
    gone = {name: [Reply(status=404)] for name in "abc"}
    with opened(three(**gone)) as (sync, taken, _):
        sync.go()
        assert taken.events == ["a", "-", "b", "-", "c", "-", "-"]
        assert not child_of(sync).tally.is_complete


def test_a_row_without_a_key_holds_the_bookmark() -> None:
    rows = [config_row("c", 3), config_row(None, 2), config_row("a", 1)]
    with opened({"dynamic_configs": [said(*rows)]}) as (sync, taken, _):
        sync.go()
        assert taken.events == ["a", 1, "c", 1, 1]
        assert sync.root.tally.reasons == ["1 rows without a key were refused"]


def test_a_child_row_without_a_key_holds_the_bookmark_of_its_parent() -> None:
    bad = said(version("b", 21), {"id": "b", "lastModifiedTime": LONG_AGO})
    with opened(three(b=[bad])) as (sync, taken, _):
        sync.go()
        assert taken.events == ["a", 11, 12, 1, "b", 21, 2, "c", 31, 2, 2]
        assert child_of(sync).tally.status == FAILED


def test_of_a_list_that_fails_what_was_read_is_kept() -> None:
    page = said(config_row("b", 2), config_row("a", 1), total=200)
    replies = {"dynamic_configs": [page, *[Reply(status=500)] * 9]}
    with opened(replies) as (sync, taken, server):
        sync.go()
        assert taken.events == ["a", "b", "-"]
        assert sync.root.tally.status == FAILED
        assert sync.root.tally.records == 2
        assert server.times_asked("/versions") == 0
        for one in sync.root.children:
            assert one.tally.status == FAILED
            assert one.tally.reasons == [f"{ROOT}, which it is read below, failed"]


def test_a_list_that_cannot_be_opened_fails_when_its_turn_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slices(*_: Any) -> Any:
        msg = "no slices"
        raise ValueError(msg)

    with opened({}, "tags") as (sync, taken, _):
        monkeypatch.setattr(type(sync.root.stream), "slices", slices)
        sync.open()
        assert sync.root.tally.reasons == []
        sync.go()
        assert sync.root.tally.reasons == ["unexpected ValueError: no slices"]
        assert sync.root.tally.status == FAILED
        assert len(taken.events) == 1


def test_an_output_that_takes_no_more_ends_everything() -> None:
    for stream in ("tags", ROOT):
        with opened({"tags": [said({"id": "a"})], **three()}, stream) as (sync, taken, _):
            taken.failure = ClosedOutput(OSError(errno.EPIPE, "gone"))
            with pytest.raises(ClosedOutput):
                sync.go()
            assert sync.root.tally.reasons == []
            assert sync.root.tally.status == INTERRUPTED


def test_an_output_that_ends_below_a_row_ends_everything() -> None:
    with opened(three()) as (sync, taken, _):
        write = taken.write

        def once(lines: bytes) -> None:
            write(lines)
            taken.failure = ClosedOutput(OSError(errno.EPIPE, "gone"))

        taken.write = once  # type: ignore[method-assign]
        with pytest.raises(ClosedOutput):
            sync.go()
        assert taken.events == ["a"]
        assert child_of(sync).tally.reasons == []


def test_a_dry_run_ends_after_a_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, replies in (
        ("tags", {"tags": [said(*[{"id": name} for name in "abc"])]}),
        (ROOT, {"dynamic_configs": [said(*[config_row(n, i) for i, n in enumerate("abc")])]}),
    ):
        with opened(replies, stream) as (sync, taken, _):
            monkeypatch.setattr(type(sync.root.stream), "ABORT_AT_RECORD_COUNT", 1)
            with pytest.raises(ABORTED):
                Sync(sync.root).go()
            assert [one for one in taken.events if one in tuple("abc")] == ["a"]
            assert sync.root.tally.status == INTERRUPTED


def test_bookmarks_move_with_some_rows_at_a_time() -> None:
    rows = [config_row(f"{number:02}", number) for number in reversed(range(1, 67))]
    stream = "autotunes"
    with opened({stream: [said(*rows)]}, stream) as (sync, taken, _):
        moves: list[tuple[int, int]] = []
        taken.moved = lambda: moves.append(  # type: ignore[method-assign]
            (len(taken.events), taken.at(stream) - LONG_AGO)
        )
        sync.go()
        assert taken.events == [row["id"] for row in reversed(rows)]
        assert moves == [(32, 32), (64, 64), (66, 66), (66, 66)]
        assert sync.root.tally.records == 66


def test_rows_at_the_bookmark_are_not_read_below_again() -> None:
    state: dict[str, Any] = {}
    with opened(three()) as (sync, taken, _):
        sync.go()
        state = taken.state["bookmarks"]
    last = {"dynamic_configs": [said(config_row("c", 3))], below("c"): [said(version("c", 31))]}
    with opened(last, state=json.loads(json.dumps(state))) as (sync, taken, server):
        sync.go()
        assert taken.events == ["c", 3, 3]
        assert server.times_asked("/versions") == 0
    more = said(config_row("c", 3), config_row("d", 3))
    last = {"dynamic_configs": [more], below("c"): [said(version("c", 31))]}
    with opened(last, state=json.loads(json.dumps(state))) as (sync, taken, server):
        sync.go()
        assert taken.events == ["c", 31, 3, "d", 3, 3], "one more row is there"
        assert server.times_asked("/versions") == 2


def sliced(monkeypatch: pytest.MonkeyPatch, sync: Sync, *slices: int) -> list[int]:
    """Ask for a stream's lists by so many days, of which two are too slow; return what is."""
    asked: list[int] = []
    kind = type(sync.root.stream)
    batches = Listing.batches

    def slow(self: Listing, *args: Any) -> Any:
        days = cast("dict[str, int]", self.context)["days"]
        asked.append(days)
        if days > 2:
            msg = f"{days} days"
            raise TooSlow(msg)
        yield from batches(self, *args)

    def halves(_: Any, context: dict[str, int]) -> list[dict[str, int]]:
        return [{"days": context["days"] // 2}] * 2

    monkeypatch.setattr(Listing, "batches", slow)
    monkeypatch.setattr(kind, "slices", lambda *_: iter([{"days": days} for days in slices]))
    monkeypatch.setattr(kind, "halves", halves)
    monkeypatch.setattr(kind, "extent", lambda _, context: context["days"])
    return asked


def test_a_list_that_is_too_slow_is_asked_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened({"tags": [said({"id": "a"})] * 9}, "tags", max_concurrency=1) as (sync, taken, _):
        asked = sliced(monkeypatch, sync, 8, 1)
        sync.go()
        assert asked == [8, 4, 2, 2, 4, 2, 2, 1]
        assert taken.events == ["a"] * 5 + ["-"]
        assert sync.root.tally.status == COMPLETE
        assert sync.root.tally.notes == [
            "asked for in parts of less than 8 days: 8 days",
            "asked for in parts of less than 4 days: 4 days",
        ]


def test_later_lists_are_asked_for_in_parts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened({"tags": [said({"id": "a"})] * 40}, "tags") as (sync, _, _server):
        asked = sliced(monkeypatch, sync, 4, 2, 2, 4, 3, 4)
        sync.go()
        assert asked[:5] == [4, 2, 2, 2, 2]
        assert 4 not in asked[6:], "what is as long as what was too slow is not tried again"
        assert 3 in asked[5:], "what is shorter is"


def test_what_follows_and_overlaps_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [said({"id": "a"}, {"id": "b"}), said({"id": "b"}, {"id": "c"}), said({"id": "a"})]
    for overlap, rows in ((True, "abca"), (False, "abbca")):
        with opened({"tags": list(pages)}, "tags") as (sync, taken, _):
            kind = type(sync.root.stream)
            monkeypatch.setattr(kind, "slices", lambda *_: iter([{"n": n} for n in range(3)]))
            monkeypatch.setattr(kind, "slices_overlap", overlap)
            sync.go()
            assert taken.events == [*rows, "-"]
            assert sync.root.tally.records == len(rows)


def test_a_bookmark_stops_short_of_what_the_server_calls_now() -> None:
    for date, last in (("06", 500), ("07", 1500)):
        rows = said(config_row("a", 500), config_row("b", 1500))
        headers = {"Date": f"Mon, 01 Jan 2024 00:00:{date} GMT"}
        with opened({"dynamic_configs": [rows._replace(headers=headers)]}) as (sync, taken, _):
            sync.go()
            assert taken.events == ["a", 500, "b", last, last]


@pytest.mark.parametrize(("is_unique", "lists"), [(False, 1), (True, 3)])
def test_rows_that_lead_to_the_same_list_lead_there_once(
    monkeypatch: pytest.MonkeyPatch, lists: int, *, is_unique: bool
) -> None:
    with opened(three()) as (sync, taken, server):
        stream = sync.root.stream
        monkeypatch.setitem(vars(stream), "has_unique_contexts", is_unique)
        monkeypatch.setattr(
            type(stream), "get_child_context", lambda *_: {"dynamic_config_id": "a"}
        )
        sync.go()
        assert taken.events == ["a", 11, 12, 1, "b", 2, "c", 3, 3]
        assert server.times_asked("/versions") == lists


def test_a_stream_is_told_how_many_lists_its_parents_led_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    with opened(three()) as (sync, _, _server):
        kind = type(child_of(sync).stream)
        monkeypatch.setattr(kind, "verdict", lambda _, lists: asked.append(lists))
        sync.go()
    assert 3 in asked


def opening(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Collect the priorities of lists as they are opened."""
    opened: list[tuple[int, ...]] = []
    open_ = Lane.open

    def spy(self: Lane, priority: tuple[int, ...], *args: Any, **more: Any) -> Any:
        opened.append(priority)
        return open_(self, priority, *args, **more)

    monkeypatch.setattr(Lane, "open", spy)
    return opened


def in_slices(monkeypatch: pytest.MonkeyPatch, sync: Sync, number: int) -> None:
    """Let a stream have so many lists."""
    kind = type(sync.root.stream)
    monkeypatch.setattr(kind, "slices", lambda *_: iter([{"n": n} for n in range(number)]))


def test_what_is_opened_is_on_its_way_and_nothing_after_it_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages = [said({"id": name}) for name in "abc"]
    with opened({"tags": pages}, "tags") as (sync, taken, server):
        in_slices(monkeypatch, sync, 3)
        sync.open()
        deadline = time.monotonic() + 10
        while not server.asked:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        sync.go()
        assert taken.events == ["a", "b", "c", "-"]


def test_a_stream_without_lists_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened({}, "tags") as (sync, taken, server):
        in_slices(monkeypatch, sync, 0)
        sync.open()
        sync.go()
        assert sync.root.tally.status == COMPLETE
        assert (taken.events, server.asked) == (["-"], [])


def test_lists_are_made_of_the_window_and_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, int]] = []
    with opened({}, "tags") as (sync, _, _server):

        def slices(_: Any, *given: Any) -> Iterator[dict[str, int]]:
            asked.append(given)
            return iter(())

        monkeypatch.setattr(type(sync.root.stream), "slices", slices)
        sync.go()
        ((window, now),) = asked
        assert window == sync.root.window
        assert abs(now - times.now()) < 60_000_000


@pytest.mark.parametrize("rank", [0, 7])
def test_lists_are_needed_in_the_order_of_their_rows(
    monkeypatch: pytest.MonkeyPatch, rank: int
) -> None:
    with opened(three()) as (sync, _, _server):
        wanted = opening(monkeypatch)
        Sync(sync.root, rank).go()
    assert wanted[0] == (rank,)
    assert wanted == sorted(set(wanted))
    assert len(wanted) == 1 + 3 * len(sync.root.children)

    with opened({"tags": [said({"id": "a"})] * 9}, "tags") as (sync, _, _server):
        sliced(monkeypatch, sync, 1, 8, 2)
        wanted.clear()
        Sync(sync.root, rank).go()
    assert wanted[0] == (rank,)
    parts = [one for one in wanted if len(one) > len(max(wanted[:3], key=len))]
    assert len(set(wanted)) == len(wanted)
    assert all(one[:3] == (rank, 1, 1) for one in parts), "halves stand where the whole stood"


@pytest.mark.parametrize("concurrency", [1, 3])
def test_so_many_lists_below_later_rows_are_on_their_way(
    monkeypatch: pytest.MonkeyPatch, concurrency: int
) -> None:
    """Twice as many as there are threads, and none where a few rows are all that is wanted."""
    names = [f"{number:02}" for number in range(20)]
    rows = said(*[config_row(name, number) for number, name in enumerate(names)])

    for limit, ahead in ((None, 2 * concurrency), (5, 0)):
        with opened({ROOT: [rows]}, max_concurrency=concurrency) as (sync, taken, _):
            if limit:
                monkeypatch.setattr(type(sync.root.stream), "ABORT_AT_RECORD_COUNT", limit)
            wanted = opening(monkeypatch)
            ahead_of: list[int] = []
            write = taken.write

            def written(lines: bytes) -> None:
                ahead_of.append(len(wanted))  # noqa: B023 - used within the turn
                write(lines)  # noqa: B023

            taken.write = written  # type: ignore[method-assign]
            with suppress(*ABORTED):
                Sync(sync.root).go()
            each = len(sync.root.children)
            assert ahead_of[0] == 1 + each * (ahead + 1)


def test_lists_before_one_that_cannot_be_made_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    def slices(*_: Any) -> Iterator[dict[str, int]]:
        yield {"n": 0}
        msg = "no more days"
        raise ReadError(msg)

    with opened({"tags": [said({"id": "a"})]}, "tags") as (sync, taken, _):
        monkeypatch.setattr(type(sync.root.stream), "slices", slices)
        sync.go()
        assert taken.events == ["a", "-"]
        assert sync.root.tally.reasons == ["no more days"]
        assert sync.root.tally.status == FAILED


def test_of_an_overlapping_list_that_fails_only_what_is_new_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = said({"id": "b"}, {"id": "c"}, total=200)
    pages = [said({"id": "a"}, {"id": "b"}), cut, *[Reply(status=500)] * 9]
    with opened({"tags": pages}, "tags") as (sync, taken, _):
        in_slices(monkeypatch, sync, 2)
        monkeypatch.setattr(type(sync.root.stream), "slices_overlap", True)
        sync.go()
        assert taken.events == ["a", "b", "c", "-"]
        assert sync.root.tally.status == FAILED


def test_an_output_that_ends_while_lists_wait_ends_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with opened({"tags": [said({"id": "a"})] * 3}, "tags") as (sync, taken, _):
        in_slices(monkeypatch, sync, 3)
        taken.failure = ClosedOutput(OSError(errno.EPIPE, "gone"))
        with pytest.raises(ClosedOutput):
            sync.go()


def test_rows_that_move_nothing_are_written_as_they_come() -> None:
    with opened({"tags": [said({"id": "b"}, {"id": "a"})]}, "tags") as (sync, taken, _):
        sync.go()
        assert taken.events == ["b", "a", "-"]


def test_of_rows_that_are_few_and_lead_on_a_dry_run_reads_what_is_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = said({"name": "e"}, {"name": "f"})
    with opened({"events": [events]}, "events") as (sync, taken, server):
        taken.write = lambda lines: taken.events.append("row")  # type: ignore[method-assign]  # noqa: ARG005
        monkeypatch.setattr(type(sync.root.stream), "ABORT_AT_RECORD_COUNT", 1)
        with pytest.raises(ABORTED):
            Sync(sync.root).go()
        assert sync.root.tally.reasons == []
        assert taken.events == ["row"]
        assert server.times_asked("/e/metrics") == 1


def test_rows_of_a_list_that_changed_are_not_among_those_of_its_second_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "_BYTES_HELD_BACK", 0)
    pages = [
        said(config_row("c", 3), config_row("b", 2), total=3),
        said(config_row("a", 1), total=2),
        said(config_row("b", 2), config_row("a", 1), total=2),
    ]
    with opened({ROOT: pages}) as (sync, taken, _):
        sync.go()
        assert [one for one in taken.events if isinstance(one, str)] == ["a", "b"]
        assert sync.root.tally.status == COMPLETE


@pytest.mark.parametrize("is_new", [False, True])
def test_a_child_starts_at_its_bookmark_below_the_same_parents_only(*, is_new: bool) -> None:
    first = three(c=[said(version("c", 31, 3))])
    with opened(first) as (sync, taken, _):
        sync.go()
        assert taken.at(CHILD) == LONG_AGO + 3
        state = json.loads(json.dumps(taken.state["bookmarks"]))
    parents = [config_row("c", 9), config_row("b", 2), config_row("a", 1)]
    more = [config_row("d", 8)] if is_new else []
    versions = said(version("c", 32, 9), version("c", 31, 3), version("c", 30, 1))
    second = {ROOT: [said(*parents, *more)], below("c"): [versions]}
    with opened(second, state=state) as (sync, taken, _):
        sync.go()
        found = [one for one in taken.events if one in {30, 31, 32}]
        assert found == ([30, 31, 32] if is_new else [31, 32])


def test_rows_of_lists_in_order_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    put_aside: list[int] = []
    write = spool._Blocks.write

    def spy(self: Any, blocks: Any) -> Any:
        put_aside.append(1)
        return write(self, blocks)

    monkeypatch.setattr(spool._Blocks, "write", spy)
    rows = [config_row(f"{number:02}", 20 - number) for number in range(20)]
    for memory, is_large in ((2_000, True), (1 << 20, False)):
        with opened({"autotunes": in_pages(rows, 5)}, "autotunes") as (sync, taken, _):
            sync.root.access.memory = memory
            put_aside.clear()
            sync.go()
            assert bool(put_aside) is is_large
            ids = [one for one in taken.events if one != "-"]
            assert ids[:20] == [one["id"] for one in reversed(rows)]


@pytest.mark.parametrize("seed", range(4))
def test_memory_changes_neither_the_order_nor_where_the_bookmark_stands(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """And no bookmark is ahead of a row that is not written, nor of one that was refused."""
    monkeypatch.setattr(spool, "_BYTES_IN_BLOCK", 1_000)
    chance = random.Random(seed)  # noqa: S311 - no secret
    moments = [chance.randrange(60) for _ in range(200)]
    rows = [config_row(f"{number:03}", moment) for number, moment in enumerate(moments)]
    chance.shuffle(rows)
    refused = [config_row(None, 50)] if seed % 2 else []
    ordered = sorted(rows, key=lambda one: (one["lastModifiedTime"], one["id"]))
    for memory in (2, 4_000, 40_000, 1 << 20):
        with opened({"autotunes": in_pages([*rows, *refused], 20)}, "autotunes") as (
            sync,
            taken,
            _,
        ):
            sync.root.access.memory = memory
            moves: dict[int, int] = {}

            def note(taken: Taken = taken, moves: dict[int, int] = moves) -> None:
                at = taken.at("autotunes")
                moves[len(taken.events)] = -1 if at is None else at - LONG_AGO

            taken.moved = note  # type: ignore[method-assign]
            sync.go()
        assert taken.events == [one["id"] for one in ordered]
        for written, at in moves.items():
            assert all(one["lastModifiedTime"] - LONG_AGO >= at for one in ordered[written:])
        assert len(set(moves.values())) > 3
        assert moves[200] == (50 if refused else max(moments))


def test_numbers_and_texts_may_be_keys_of_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened({"autotunes": [said()]}, "autotunes") as (sync, _, _server):
        kind = type(sync.root.stream)
        monkeypatch.setattr(kind, "has_mixed_keys", True)
        rows = [tuple(row(5, (key,), lines=b"")) for key in ("b", 7, "a", 2)]
        monkeypatch.setattr(type(sync.root.row_maker), "rows", lambda *_: rows)
        sync.go()
        assert sync.root.tally.reasons == []


@pytest.mark.parametrize("is_unique", [False, True])
def test_rows_that_lead_to_other_lists_lead_to_each(
    monkeypatch: pytest.MonkeyPatch, *, is_unique: bool
) -> None:
    with opened(three()) as (sync, taken, _):
        monkeypatch.setitem(vars(sync.root.stream), "has_unique_contexts", is_unique)
        sync.go()
        assert taken.events == ["a", 11, 12, 1, "b", 21, 2, "c", 31, 3, 3]


def test_it_is_said_which_list_is_gone() -> None:
    with opened(three(b=[Reply(status=404)])) as (sync, _, _server):
        sync.go()
        (note,) = child_of(sync).tally.notes
        assert "/dynamic_configs/b/versions" in note


def test_rows_carry_what_they_are_below() -> None:
    records: list[dict[str, Any]] = []
    with opened(three()) as (sync, taken, _):
        taken.write = lambda lines: records.extend(  # type: ignore[method-assign]
            json.loads(line)["record"] for line in lines.splitlines()
        )
        sync.go()
    found = {one["version"]: one["dynamic_config_id"] for one in records if "version" in one}
    assert found == {11: "a", 12: "a", 21: "b", 31: "c"}
