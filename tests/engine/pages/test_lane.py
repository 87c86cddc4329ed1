"""Threads that fetch ahead, and pages that come in order all the same."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.pages import lane as lanes
from tap_analytics.engine.pages.judge import Judge, Outline
from tap_analytics.engine.pages.lane import Lane
from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.pages.pagination import Signals
from tap_analytics.engine.pages.reader import ListReader
from tests.engine.doubles import SILENT, Pairs, Source, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.engine.http.client import Client

SECONDS = 10.0


class Answered(Page, weakref=True):
    """A page of which is known when it is no more."""


class Idle:
    """Stands for a client that sends nothing."""

    def __init__(self) -> None:
        self.is_closed = False
        self.rests = 0

    def rest(self) -> None:
        self.rests += 1

    def close(self) -> None:
        self.is_closed = True


@contextmanager
def lane_of(concurrency: int) -> Iterator[Lane]:
    lane = Lane("api", cast("Client", Idle()), concurrency)
    try:
        yield lane
    finally:
        lane.close()


def ids(lane: Lane, reader: ListReader) -> list[Any]:
    return [row["id"] for got in lane.pages(reader, lambda: None) for row in got.records]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def counted(pages: int, size: int = 10) -> Callable[[int], Page]:
    """Return a list of so many pages of two rows."""
    return lambda token: page([2 * token, 2 * token + 1], Signals(pages=pages), size=size)


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_pages_come_in_order(concurrency: int) -> None:
    def slow(token: int) -> Page:
        time.sleep(0.001 * (token % 3))
        return counted(30)(token)

    with lane_of(concurrency) as lane:
        assert ids(lane, lane.open((0,), Source(slow))) == list(range(2, 62))


@pytest.mark.parametrize("concurrency", [1, 3])
def test_so_many_requests_are_in_flight_and_no_more(concurrency: int) -> None:
    flying, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(concurrency)

    def fetch(token: int) -> Page:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        if 1 < token <= 1 + concurrency:
            full.wait(SECONDS)
        with lock:
            flying -= 1
        return counted(1 + 4 * concurrency)(token)

    with lane_of(concurrency) as lane:
        ids(lane, lane.open((0,), Source(fetch)))
    assert most == concurrency


def test_lists_are_served_by_priority() -> None:
    asked: list[str] = []
    gate = threading.Event()

    def source(name: str) -> Source:
        def fetch(token: int) -> Page:
            asked.append(name)
            if name == "first":
                gate.wait(SECONDS)
            return counted(1)(token)

        return Source(fetch)

    with lane_of(1) as lane:
        first = lane.open((0,), source("first"))
        until(lambda: asked == ["first"])
        others = [lane.open(rank, source(str(rank))) for rank in ((3,), (1, 2), (2,), (1,))]
        gate.set()
        for reader in (first, *others):
            ids(lane, reader)
    assert asked == ["first", "(1,)", "(1, 2)", "(2,)", "(3,)"]


def test_only_speculation_asks_for_pages_that_may_not_exist() -> None:
    asked: list[int] = []

    def fetch(token: int) -> Page:
        asked.append(token)
        return page([token, -token] if token < 4 else [])

    with lane_of(4) as lane:
        ids(lane, lane.open((0,), Source(fetch)))
        assert asked == [1, 2, 3, 4]
        asked.clear()
        reader = lane.open((0,), Source(fetch), speculate=True)
        until(lambda: sorted(asked) >= [1, 2, 3])
        ids(lane, reader)
        assert sorted(asked)[:4] == [1, 2, 3, 4]


def test_one_thread_never_speculates() -> None:
    with lane_of(1) as lane:
        assert lane.open((0,), Source(counted(1)), speculate=True)._window == 0
    with lane_of(5) as lane:
        assert lane.open((0,), Source(counted(1)), speculate=True)._window == 4


def test_a_failure_is_raised_in_the_place_of_its_page() -> None:
    def fetch(token: int) -> Page:
        if token == 3:
            message = "broken"
            raise ReadError(message)
        return counted(5)(token)

    with lane_of(4) as lane:
        pages = lane.pages(lane.open((0,), Source(fetch)), lambda: None)
        assert [row["id"] for _ in range(2) for row in next(pages).records] == [2, 3, 4, 5]
        with pytest.raises(ReadError, match="broken"):
            next(pages)
        assert lane._readers == []


def test_any_other_exception_is_raised_too() -> None:
    def fetch(token: int) -> Page:
        raise ZeroDivisionError(token)

    with lane_of(2) as lane:
        reader = lane.open((0,), Source(fetch))
        with pytest.raises(ZeroDivisionError):
            ids(lane, reader)
        assert ids(lane, lane.open((0,), Source(counted(1)))) == [2, 3]


def test_what_could_not_be_read_holds_nothing_of_its_answer() -> None:
    answers: list[weakref.ref[Page]] = []

    def fetch(token: int) -> Page:
        answer = Answered([], SILENT, token, 0, "")
        answers.append(weakref.ref(answer))
        try:
            answer.records[0]
        except IndexError:
            msg = "answered without records"
            raise ReadError(msg) from None
        return answer

    gc.disable()
    try:
        with lane_of(2) as lane:
            with suppress(ReadError):
                ids(lane, lane.open((0,), Source(fetch)))
            until(lambda: [ref() for ref in answers] == [None])
    finally:
        gc.enable()


def test_a_list_that_is_read_is_forgotten() -> None:
    with lane_of(2) as lane:
        kept, read = lane.open((1,), Source(counted(2))), lane.open((0,), Source(counted(2)))
        ids(lane, read)
        assert lane._readers == [kept]


def test_a_dropped_list_takes_nothing_more() -> None:
    gate, started = threading.Event(), threading.Event()

    def fetch(token: int) -> Page:
        started.set()
        gate.wait(SECONDS)
        return counted(9)(token)

    with lane_of(1) as lane:
        dropped = lane.open((0,), Source(fetch))
        assert started.wait(SECONDS)
        lane.drop(dropped)
        gate.set()
        assert ids(lane, lane.open((1,), Source(counted(2)))) == [2, 3, 4, 5]
        assert len(dropped._arrived) == 0
        lane.drop(dropped)


def test_a_wait_calls_pause_as_often_as_it_asks() -> None:
    gate = threading.Event()
    answers: list[float | None] = [0.005, 0.005, None]
    called: list[float | None] = []

    def fetch(token: int) -> Page:
        gate.wait(SECONDS)
        return counted(1)(token)

    def pause() -> float | None:
        called.append(answers[len(called)])
        if called[-1] is None:
            gate.set()
        return called[-1]

    with lane_of(1) as lane:
        reader = lane.open((0,), Source(fetch))
        assert len(list(lane.pages(reader, pause))) == 1
    assert called == answers


def test_pages_that_are_there_need_no_pause() -> None:
    with lane_of(1) as lane:
        reader = lane.open((0,), Source(counted(1)))
        until(lambda: len(reader._arrived) == 1)
        assert len(list(lane.pages(reader, lambda: 1 / 0))) == 1


@pytest.mark.parametrize(
    ("concurrency", "size", "ahead"), [(1, 10, 4), (2, 10, 8), (2, 3 << 20, 2)]
)
def test_what_is_fetched_ahead_is_bounded(concurrency: int, size: int, ahead: int) -> None:
    asked: list[int] = []

    def fetch(token: int) -> Page:
        asked.append(token)
        return counted(40, size)(token)

    with lane_of(concurrency) as lane:
        reader = lane.open((0,), Source(fetch))
        until(lambda: len(reader._arrived) >= ahead)
        time.sleep(0.05)
        assert ahead <= len(asked) <= ahead + concurrency - 1
        assert len(ids(lane, reader)) == 80


@pytest.mark.parametrize(("size", "ahead"), [(10, 8), (1 << 20, 6)])
def test_a_late_page_does_not_let_the_others_pass_the_bound(size: int, ahead: int) -> None:
    gate = threading.Event()
    asked: list[int] = []
    seen: list[int] = []

    def fetch(token: int) -> Page:
        asked.append(token)
        if token == 3:
            gate.wait(SECONDS)
        return counted(60, size)(token)

    def look() -> None:
        seen.append(len(asked))
        gate.set()

    with lane_of(2) as lane:
        pages = lane.pages(lane.open((0,), Source(fetch)), lambda: None)
        threading.Timer(0.2, look).start()
        assert len(list(pages)) == 60
    assert ahead < seen[0] <= 2 + ahead + 2


def test_the_list_being_consumed_may_pass_the_bound() -> None:
    with lane_of(1) as lane:
        early = [lane.open((rank,), Source(counted(1))) for rank in range(4)]
        until(lambda: sum(len(reader._arrived) for reader in early) == 4)
        late = lane.open((5,), Source(counted(1)))
        with lane._lock:
            assert list(lane._servable()) == []
            assert lane._next_job() is None
        assert ids(lane, late) == [2, 3]
        assert lane._head is None
        assert [ids(lane, reader) for reader in early] == [[2, 3]] * 4


def test_short_lists_that_were_begun_are_read_through() -> None:
    with lane_of(1) as lane:
        early = [lane.open((rank,), Source(counted(1))) for rank in range(3)]
        until(lambda: sum(len(reader._arrived) for reader in early) == 3)
        short = lane.open((4,), Source(counted(4)))
        until(lambda: len(short._arrived) == 4)
        late = lane.open((5,), Source(counted(4)))
        assert ids(lane, early[0]) == [2, 3]
        assert len(late._arrived) == 0


def test_threads_carry_the_name_of_their_api() -> None:
    names: set[str] = set()

    def fetch(token: int) -> Page:
        names.add(threading.current_thread().name)
        return counted(3)(token)

    with lane_of(1) as lane:
        ids(lane, lane.open((0,), Source(fetch)))
    assert names == {"api-1"}


def test_threads_that_wait_are_used_before_new_ones_start() -> None:
    with lane_of(8) as lane:
        assert lane._threads == 0
        for number in range(20):
            ids(lane, lane.open((number,), Source(counted(1))))
            until(lambda: lane._idle == lane._threads)
        assert 1 <= lane._threads <= 2


def test_threads_end_with_the_lane() -> None:
    threads: set[threading.Thread] = set()

    def fetch(token: int) -> Page:
        threads.add(threading.current_thread())
        time.sleep(0.002)
        return counted(20)(token)

    with lane_of(4) as lane:
        ids(lane, lane.open((0,), Source(fetch)))
        client: Any = lane.client
        assert not client.is_closed
    assert client.is_closed
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    lane.open((0,), Source(counted(1)))
    with lane._lock:
        assert lane._next_job() is None


class Clamped(Pairs):
    repeat_ends = True


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_list_that_ends_before_the_page_waited_for_ends_the_wait(concurrency: int) -> None:
    def fetch(token: int) -> Page:
        time.sleep(0.01)
        return page([min(token, 3)])

    with lane_of(concurrency) as lane:
        reader = lane.open((0,), Source(fetch, Clamped()), speculate=True)
        assert ids(lane, reader) == [1, 2, 3]
        assert lane._readers == []


def test_nothing_to_wait_for_is_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ListReader, "_horizon", lambda _: -1)
    with lane_of(2) as lane, pytest.raises(ReadError, match="nothing left to wait for"):
        ids(lane, lane.open((0,), Source(counted(2))))


def test_a_dropped_list_ends_for_its_consumer_too() -> None:
    with lane_of(2) as lane:
        reader = lane.open((0,), Source(lambda token: page([token, -token])))
        pages = lane.pages(reader, lambda: None)
        next(pages)
        lane.drop(reader)
        assert list(pages) == []


def test_a_closed_lane_ends_every_wait() -> None:
    gate = threading.Event()
    with lane_of(1) as lane:
        reader = lane.open((0,), Source(lambda _: page([gate.wait(SECONDS)])))
        threading.Timer(0.1, lane.close).start()
        with pytest.raises(ReadError, match="the run has ended"):
            ids(lane, reader)
        gate.set()


class Dying(BaseException):
    """What no worker survives."""


def test_a_worker_that_dies_does_not_take_its_page_along() -> None:
    def fetch(token: int) -> Page:
        if token == 2:
            raise Dying
        return counted(3)(token)

    with lane_of(1) as lane:
        with pytest.raises(ReadError, match="has died of Dying"):
            ids(lane, lane.open((0,), Source(fetch)))
        assert ids(lane, lane.open((0,), Source(counted(2)))) == [2, 3, 4, 5]


@pytest.mark.parametrize("error", [MemoryError, RuntimeError])
def test_where_no_thread_can_be_had_the_consumer_fetches(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise error

    with lane_of(4) as lane:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        readers = [lane.open((rank,), Source(counted(9))) for rank in range(3)]
        assert [ids(lane, reader) for reader in readers] == [list(range(2, 20))] * 3


def test_a_thread_that_cannot_start_another_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    started: list[str] = []

    def once(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError
        started.append(thread.name)
        start(thread)

    with lane_of(4) as lane:
        monkeypatch.setattr(threading.Thread, "start", once)
        assert ids(lane, lane.open((0,), Source(counted(20)))) == list(range(2, 42))
        assert lane._threads == 1


def test_a_judge_that_fails_fails_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Judge, __: Page) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Judge, "page", broken)
    with lane_of(2) as lane, pytest.raises(ZeroDivisionError):
        ids(lane, lane.open((0,), Source(counted(2))))


def test_the_bounds_are_what_the_lane_says() -> None:
    assert lanes._MOST_BYTES_AHEAD == 6 << 20
    assert lanes._PAGES_AHEAD_PER_THREAD == 4


def test_a_lane_without_work_keeps_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_IDLE_SECONDS", 0.05)
    with lane_of(3) as lane:
        client = cast("Idle", lane.client)
        for rests in (1, 2):
            assert ids(lane, lane.open((0,), Source(counted(9), Pairs())))
            until(lambda: client.rests == rests)  # noqa: B023 - called at once
            assert not lane._threads


class Long:
    """A source whose pages come when the test lets them, in its order."""

    def __init__(self, size: int, pages: int = 60) -> None:
        self.asked: list[int] = []
        self.paginator = Pairs()
        self._size, self._pages = size, pages
        self._free: set[int] = set()
        self._changed = threading.Condition()

    def let(self, *tokens: int) -> None:
        with self._changed:
            self._free.update(tokens)
            self._changed.notify_all()

    def fetch(self, token: int) -> Page:
        with self._changed:
            self.asked.append(token)
            assert self._changed.wait_for(lambda: token in self._free, SECONDS)
        return counted(self._pages, self._size)(token)


@pytest.mark.parametrize(
    ("size", "bound", "ahead"),
    [(10, 10_000, 4), (100, 602, 4), (100, 601, 3), (400, 1_000, 2)],
    ids=["small", "just short", "just not", "large"],
)
def test_a_list_that_is_waited_for_may_go_so_far_beyond_the_bound(
    size: int, bound: int, ahead: int
) -> None:
    """As many pages as there are threads, in half the room; and always the one it waits for."""
    others = [Source(counted(1, size)) for _ in range(40)]
    lane = Lane("api", cast("Client", Idle()), 4, bytes_ahead=bound)
    source = Long(size)
    try:
        early = [lane.open((rank,), other) for rank, other in enumerate(others)]
        until(lambda: not lane._in_flight and list(lane._servable()) == [])
        reader = lane.open((99,), source)
        assert source.asked == []
        pages = lane.pages(reader, lambda: None)
        threading.Timer(0.05, source.let, [1]).start()
        next(pages)
        # The first page tells how many there are; the next one is waited for.
        waiting = threading.Thread(target=next, args=(pages,), daemon=True)
        waiting.start()
        until(lambda: len(source.asked) == 1 + ahead)
        time.sleep(0.05)
        assert sorted(source.asked) == list(range(1, 2 + ahead))
        source.let(*range(1, 61))
        waiting.join(SECONDS)
        assert not waiting.is_alive()
        for one in early:
            ids(lane, one)
        assert len(list(pages)) == 58
    finally:
        source.let(*range(1, 61))
        lane.close()


def test_a_lane_has_its_own_bound() -> None:
    lane = Lane("api", cast("Client", Idle()), 2, bytes_ahead=35)
    try:
        reader = lane.open((0,), Source(counted(40, 10)))
        until(lambda: len(reader._arrived) >= 3 and not lane._in_flight)
        time.sleep(0.05)
        assert 3 <= len(reader._arrived) <= 5
        assert len(ids(lane, reader)) == 80
    finally:
        lane.close()


def test_who_waits_when_the_lane_ends_is_told() -> None:
    source = Long(10)
    with lane_of(1) as lane:
        reader = lane.open((0,), source)
        until(lambda: source.asked == [1])
        threading.Timer(0.05, lane.close).start()
        with pytest.raises(ReadError, match="the run has ended"):
            ids(lane, reader)
        source.let(1)


def test_a_list_that_cannot_go_on_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with lane_of(1) as lane:
        reader = lane.open((0,), Source(counted(3)))
        monkeypatch.setattr(type(reader), "is_stuck", property(lambda _: True))
        monkeypatch.setattr(type(reader), "pop", lambda _: None)
        with pytest.raises(ReadError, match="nothing left to wait for"):
            ids(lane, reader)


def test_without_threads_and_pages_to_ask_for_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "started", lambda *_: None)
    with lane_of(2) as lane:
        reader = lane.open((0,), Source(counted(3)))
        monkeypatch.setattr(lane, "_next_job", lambda: None)
        with pytest.raises(ReadError, match="no thread is left that could read the list"):
            ids(lane, reader)


def test_threads_that_have_nothing_to_do_end_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_IDLE_SECONDS", 0.05)
    with lane_of(3) as lane:
        for number in range(2):
            ids(lane, lane.open((number,), Source(counted(9))))
            until(lambda: lane._threads == 0)
            assert lane._idle == 0


def test_a_list_read_again_knows_how_it_was() -> None:
    earlier = Outline((1, 2), 5)
    with lane_of(1) as lane:
        reader = lane.open((0,), Source(counted(1)), earlier=earlier)
        assert reader.judge._earlier is earlier
