"""Lines and bookmarks on their way from the thread of an account to the one that writes."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_analytics.engine.run import relay as relays
from tap_analytics.engine.run.bookmarks import Entry
from tap_analytics.engine.run.relay import Relay, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.run.outlet import Outlet

SOON = 5.0


class Taken:
    """An outlet that remembers what it was given, in order."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self.state: dict[str, Any] = {} if state is None else state
        self.lines: list[bytes] = []
        self.moves: list[tuple[int, Any]] = []
        self.pauses = 0
        self.paused = threading.Event()

    def entry(self, stream: str, account: str | None) -> Entry:
        return Entry(self.state, stream, account)

    def write(self, lines: bytes) -> None:
        self.lines.append(lines)

    def moved(self) -> None:
        at = self.entry("s", "x").read().get("at")
        self.moves.append((len(self.lines), at))

    def pause(self) -> float | None:
        self.pauses += 1
        self.paused.set()
        return None


def relay_to(taken: Taken) -> Relay:
    return Relay(cast("Outlet", taken))


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def thread() -> Iterator[Any]:
    """Start work in a thread of its own, and wait for its end."""
    threads: list[threading.Thread] = []

    def start(work: Any) -> threading.Thread:
        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()
        return threads[-1]

    yield start
    for one in threads:
        one.join(SOON)
    assert not any(one.is_alive() for one in threads)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a relay take pieces of 4 bytes, 8 of them in memory and 12 in the file."""
    monkeypatch.setattr(relays, "_PIECE", 4)
    monkeypatch.setattr(relays, "_BYTES_IN_MEMORY", 8)
    monkeypatch.setattr(relays, "_BYTES_IN_FILE", 12)


def test_lines_gather_to_a_piece(taken: Taken) -> None:
    relay = relay_to(taken)
    relay.write(b"a" * (64 * 1024 - 1))
    assert not relay._pieces
    relay.write(b"b")
    assert [len(cast("bytes", piece)) for piece, _ in relay._pieces] == [64 * 1024]
    relay.run(lambda: relay.write(b"c"))
    relay.drain()
    assert taken.lines == [b"a" * (64 * 1024 - 1) + b"b", b"c"]


def test_a_quarter_of_a_megabyte_stays_in_memory(taken: Taken) -> None:
    relay = relay_to(taken)
    for _ in range(4):
        relay.write(b"a" * 64 * 1024)
    assert relay._file is None
    relay.write(b"b" * 64 * 1024)
    assert relay._in_file == 64 * 1024
    relay.run(lambda: None)
    relay.drain()
    assert b"".join(taken.lines) == b"a" * 256 * 1024 + b"b" * 64 * 1024


def test_what_was_written_is_handed_over_in_a_wait_for_the_api(taken: Taken) -> None:
    relay = relay_to(taken)
    relay.write(b"a")
    assert relay.pause() is None
    assert len(relay._pieces) == 1
    relay.pause()
    assert len(relay._pieces) == 1
    relay.write(b"b")
    relay.run(lambda: None)
    relay.drain()
    assert taken.lines == [b"a", b"b"]
    assert taken.moves == []


def test_a_bookmark_goes_with_its_lines(taken: Taken) -> None:
    relay = relay_to(taken)
    entry = relay.entry("s", "x")

    def work() -> None:
        relay.write(b"a")
        relay.pause()
        for at in (1, 2):
            relay.write(b"b")
            entry.write(at=at)
            relay.moved()
        relay.pause()
        entry.write(at=3)
        relay.write(b"c")
        relay.pause()
        relay.moved()

    relay.run(work)
    assert taken.state == {}
    relay.drain()
    assert taken.lines == [b"a", b"bb", b"c", b""]
    assert taken.moves == [(2, 2), (4, 3)]
    assert taken.state == {"bookmarks": {"s": {"accounts": {"x": {"at": 3}}}}}


def test_a_relay_starts_from_the_state_and_shares_nothing_with_it() -> None:
    before: dict[str, Any] = {"s": {"accounts": {"x": {"at": 1, "covers": ["s"]}}}}
    taken = Taken({"bookmarks": before})
    relay = relay_to(taken)
    entry = relay.entry("s", "x")
    assert entry.read() == {"at": 1, "covers": ["s"]}
    entry.read()["covers"].append("t")
    assert relay.entry("t", "x").read() == {}
    assert before == {"s": {"accounts": {"x": {"at": 1, "covers": ["s"]}}}}

    def work() -> None:
        entry.write(at=2, covers=None)
        relay.moved()
        relay.pause()
        entry.write(at=3)

    relay.run(work)
    relay.drain()
    assert before == {"s": {"accounts": {"x": {"at": 2}}}}, "what was not said to move stays"


def test_all_streams_of_a_relay_move_and_those_of_others_stay() -> None:
    state = {"bookmarks": {"s": {"accounts": {"y": {"at": 7}}}, "u": {"at": 8}}}
    taken = Taken(state)
    relay = relay_to(taken)
    entries = [relay.entry(stream, "x") for stream in "st"]

    def work() -> None:
        for number, entry in enumerate(entries):
            entry.write(at=number)
        relay.moved()

    relay.run(work)
    relay.drain()
    assert state["bookmarks"] == {
        "s": {"accounts": {"x": {"at": 0}, "y": {"at": 7}}},
        "t": {"accounts": {"x": {"at": 1}}},
        "u": {"at": 8},
    }


@pytest.mark.usefixtures("small")
def test_what_is_more_than_memory_may_hold_goes_to_a_file_and_comes_in_order(
    taken: Taken,
) -> None:
    relay = relay_to(taken)
    pieces = [b"%d...\n" % number for number in range(2)] + [b"2.\n"]
    relay.write(pieces[0])
    assert relay._file is None
    relay.write(pieces[1])
    assert relay._in_file == 5
    relay.write(pieces[2])
    relay.run(lambda: None)
    assert (relay._in_memory, relay._in_file) == (8, 5), "what still fits stays in memory"
    file: Any = relay._file
    relay.drain()
    assert taken.lines == pieces
    assert (relay._in_memory, relay._in_file) == (0, 0)
    assert file.closed


@pytest.mark.usefixtures("small")
def test_the_file_is_emptied_when_all_of_it_was_taken(taken: Taken) -> None:
    relay = relay_to(taken)
    for text in (b"aaaa", b"bbbb", b"cccc", b"dddd"):
        relay.write(text)
    sizes = []
    for _ in range(4):
        relay._next()
        sizes.append(os.fstat(relay._file.fileno()).st_size)
    assert sizes == [8, 8, 8, 0]
    for text in (b"eeee", b"ffff", b"gggg"):
        relay.write(text)
    assert [relay._next() for _ in range(3)] == [
        (b"eeee", None),
        (b"ffff", None),
        (b"gggg", None),
    ]
    relay.run(lambda: None)
    relay.drain()


@pytest.mark.usefixtures("small")
def test_who_writes_more_than_the_file_may_hold_waits(taken: Taken, thread: Any) -> None:
    relay = relay_to(taken)
    texts = [b"%04d" % number for number in range(40)]
    most: list[int] = []
    full = threading.Event()

    def work() -> None:
        for number, text in enumerate(texts):
            if number == 5:
                full.set()
            relay.write(text)
            most.append(relay._in_file)

    writer = thread(lambda: relay.run(work))
    assert full.wait(SOON)
    writer.join(0.05)
    assert writer.is_alive(), "five pieces are 8 bytes in memory and 12 in the file"
    assert (relay._in_memory, relay._in_file) == (8, 12)
    relay.drain()
    assert taken.lines == texts
    assert max(most) <= 12


@pytest.mark.usefixtures("small")
def test_a_state_goes_through_the_file_with_its_lines(taken: Taken) -> None:
    relay = relay_to(taken)
    entry = relay.entry("s", "x")

    def work() -> None:
        for number in range(4):
            entry.write(at=number)
            relay.moved()
            relay.write(b"%04d" % number)

    relay.run(work)
    relay.drain()
    assert taken.moves == [(1, 0), (2, 1), (3, 2), (4, 3)]


class Broken(BaseException):
    pass


@pytest.mark.parametrize("kind", [ValueError, Broken])
def test_a_failure_comes_after_what_was_handed_over_before(
    taken: Taken, kind: type[BaseException]
) -> None:
    relay = relay_to(taken)

    def work() -> None:
        relay.write(b"a")
        relay.pause()
        relay.write(b"b")
        raise kind

    relay.run(work)
    with pytest.raises(kind):
        relay.drain()
    assert taken.lines == [b"a"]


@pytest.mark.usefixtures("small")
def test_after_a_failure_the_file_is_closed(taken: Taken) -> None:
    relay = relay_to(taken)

    def work() -> None:
        relay.write(b"a" * 12)
        raise ValueError

    relay.run(work)
    with pytest.raises(ValueError, match=r"^$"):
        relay.drain()
    assert relay._file.closed
    assert taken.lines == [b"a" * 12]


def test_nothing_leaves_before_it_is_taken_and_the_end_is_waited_for(
    taken: Taken, thread: Any
) -> None:
    relay = relay_to(taken)
    go_on = threading.Event()

    def work() -> None:
        relay.write(b"a")
        relay.pause()
        assert go_on.wait(SOON)
        relay.write(b"b")

    relayed = thread(lambda: relay.run(work))
    drained = thread(relay.drain)
    assert taken.paused.wait(SOON)
    drained.join(0.05)
    assert drained.is_alive(), "the work is not done yet"
    assert taken.lines == [b"a"]
    go_on.set()
    drained.join(SOON)
    relayed.join(SOON)
    assert taken.lines == [b"a", b"b"]


def test_the_outlet_says_when_it_wants_to_be_called_again(thread: Any) -> None:
    class Hasty(Taken):
        def pause(self) -> float | None:
            super().pause()
            return 0.001 if self.pauses < 5 else None

    taken = Hasty()
    relay = relay_to(taken)
    drained = thread(relay.drain)
    for _ in range(1000):
        if taken.pauses >= 5:
            break
        drained.join(0.005)
    drained.join(0.02)
    assert (taken.pauses, drained.is_alive()) == (5, True)
    relay.run(lambda: None)


def test_an_outlet_is_not_paused_while_there_is_something_to_take(taken: Taken) -> None:
    relay = relay_to(taken)
    for text in (b"a", b"b"):
        relay.write(text)
        relay.pause()
    relay.run(lambda: None)
    assert relay._next() == (b"a", None)
    assert relay._next() == (b"b", None)
    assert taken.pauses == 0
    assert relay._next() is None


def test_a_worker_does_its_work_in_order_in_a_thread_of_its_own() -> None:
    worker = Worker("berlin")
    done: list[tuple[int, str, bool]] = []
    began, end = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0:
            assert began.wait(SOON)
        one = threading.current_thread()
        done.append((number, one.name, one.daemon))
        if number == 2:
            end.set()

    for number in range(3):
        worker.give(relay_to(Taken()), partial(work, number))
    assert done == []
    began.set()
    assert end.wait(SOON)
    assert done == [(number, "account-berlin", True) for number in range(3)]


def test_without_a_thread_the_work_is_done_at_once_and_waits_for_no_room(
    monkeypatch: pytest.MonkeyPatch, taken: Taken
) -> None:
    monkeypatch.setattr(relays, "_BYTES_IN_MEMORY", 3)
    monkeypatch.setattr(relays, "_BYTES_IN_FILE", 5)
    monkeypatch.setattr(relays, "_PIECE", 2)
    monkeypatch.setattr(relays, "started", lambda *_: None)
    relay = relay_to(taken)

    def work() -> None:
        for _ in range(9):
            relay.write(b"ab")

    Worker("berlin").give(relay, work)
    relay.drain()
    assert b"".join(taken.lines) == b"ab" * 9
