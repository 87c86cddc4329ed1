"""One budget of requests: who may send when, who waits alone, and what everybody waits for."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.http.budget import Allowance, Budget, Leave, Outcome
from tap_analytics.engine.http.quota import Announcement
from tap_analytics.engine.output.report import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10.0
GOOD = Outcome(is_good=True)
REFUSED = Outcome(is_throttled=True)


class Clock:
    """Time that passes only when told to, or when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "waits for an answer that nobody gives"
        self.now += timeout
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tally(stream: str = "s") -> Tally:
    return Tally(stream, "api")


def alone(clock: Clock, *windows: tuple[int, float], concurrency: int = 4) -> Budget:
    """Return a budget that one thread asks, so that its waits move the clock."""
    budget = Budget(windows, concurrency, "api", clock)
    budget._cond.wait = clock.sleep  # type: ignore[method-assign]
    return budget


def in_thread(budget: Budget, stream: str = "s") -> tuple[threading.Thread, list[Leave]]:
    """Ask for leave in a thread; the list holds it once it is granted."""
    granted: list[Leave] = []
    thread = threading.Thread(target=lambda: granted.append(budget.acquire(tally(stream))))
    thread.daemon = True
    thread.start()
    return thread, granted


def is_blocked(budget: Budget) -> bool:
    """Tell whether a further request would have to wait, and end the budget if so."""
    thread, granted = in_thread(budget)
    thread.join(0.05)
    blocked = not granted
    if blocked:
        budget.close()
        thread.join(SECONDS)
    return blocked


def ask(budget: Budget, outcome: Outcome = GOOD, stream: str = "s") -> float:
    """Ask once, and return when leave was given."""
    leave = budget.acquire(tally(stream))
    budget.release(leave, outcome)
    return leave.at


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_leave_is_the_time_it_was_given(clock: Clock) -> None:
    assert alone(clock).acquire(tally()).at == 1000


@pytest.mark.parametrize(("concurrency", "granted"), [(1, 1), (3, 3), (4, 4), (8, 4)])
def test_a_few_requests_are_in_flight_at_first(concurrency: int, granted: int) -> None:
    budget = Budget((), concurrency)
    for _ in range(granted):
        budget.acquire(tally())
    assert is_blocked(budget)


@pytest.mark.parametrize("outcome", [GOOD, Outcome(), REFUSED])
def test_an_answer_makes_room_for_a_request(outcome: Outcome) -> None:
    budget = Budget((), 1)
    leave = budget.acquire(tally())
    thread, granted = in_thread(budget)
    time.sleep(0.02)
    assert granted == []
    budget.release(leave, outcome)
    thread.join(SECONDS)
    assert len(granted) == 1


def test_whoever_waits_longest_is_next() -> None:
    budget = Budget((), 1)
    leave = budget.acquire(tally())
    order: list[int] = []

    def ask(number: int) -> None:
        own = budget.acquire(tally())
        order.append(number)
        budget.release(own, GOOD)

    threads = []
    for number in range(6):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
        until(lambda expected=number + 1: len(budget._queue) == expected)  # type: ignore[misc]
    budget.release(leave, GOOD)
    for thread in threads:
        thread.join(SECONDS)
    assert order == list(range(6))


def test_declared_windows_are_kept(clock: Clock) -> None:
    budget = alone(clock, (2, 10.0))
    assert [ask(budget) for _ in range(5)] == [1000, 1000, 1010, 1010, 1020]


def test_a_learned_rate_is_kept(clock: Clock) -> None:
    budget = alone(clock)
    for _ in range(20):
        ask(budget)
    ask(budget, REFUSED)
    assert budget._pace.rate == pytest.approx(19)
    first = ask(budget)
    assert ask(budget) - first == pytest.approx(1 / 19)


def test_what_the_server_told_is_for_all(clock: Clock) -> None:
    budget = alone(clock)
    ask(budget, Outcome(is_throttled=True, told=5), "one")
    waiting = tally("two")
    assert budget.acquire(waiting).at == 1005
    assert waiting.waits == {"told": 5}


def test_pauses_overlap_and_do_not_add_up(clock: Clock) -> None:
    budget = alone(clock)
    for seconds in (5, 5, 3):
        leave = budget._in_flight
        assert leave == 0
        budget.release(Leave(clock.now, budget._endpoint("s")), Outcome(told=seconds))
        budget._in_flight = 0
    assert ask(budget) == 1005


def test_a_pause_that_ends_lets_those_go_that_wait() -> None:
    budget = Budget((), 4)
    started = time.monotonic()
    ask(budget, Outcome(told=0.1))
    threads = [in_thread(budget) for _ in range(3)]
    for thread, granted in threads:
        thread.join(SECONDS)
        assert 0.1 <= granted[0].at - started < 2


def test_a_refusal_that_does_not_say_how_long_is_its_own_streams(clock: Clock) -> None:
    budget = alone(clock)
    ask(budget, REFUSED, "bad")
    budget.back_off("bad", 60, "429")
    assert ask(budget, GOOD, "good") == 1000
    waiting = tally("bad")
    assert budget.acquire(waiting).at == 1060
    assert waiting.waits == {"retry": 60}


def test_a_healthy_stream_passes_those_that_wait() -> None:
    budget = Budget((), 4)
    budget.back_off("bad", 60, "429")
    threads = [in_thread(budget, "bad") for _ in range(3)]
    until(lambda: len(budget._queue) == 3)
    thread, granted = in_thread(budget, "good")
    thread.join(SECONDS)
    assert granted
    budget.close()
    for thread, _ in threads:
        thread.join(SECONDS)


def test_where_nothing_gets_through_everybody_waits(clock: Clock) -> None:
    budget = alone(clock)
    budget.back_off("one", 10, "429")
    budget.back_off("two", 20, "429")
    assert ask(budget, GOOD, "three") == 1020
    budget.back_off("one", 10, "429")
    assert ask(budget, GOOD, "three") == 1020


def test_a_stream_is_refused_until_it_gets_through(clock: Clock) -> None:
    budget = alone(clock)
    for _ in range(3):
        ask(budget, REFUSED)
    assert budget.is_refused("s", 2)
    assert not budget.is_refused("s", 3)
    ask(budget, GOOD, "other")
    assert budget.is_refused("s", 2)
    ask(budget, GOOD)
    assert not budget.is_refused("s", 0)


def test_a_stream_that_is_always_refused_teaches_once(clock: Clock) -> None:
    budget = alone(clock, concurrency=8)
    for _ in range(20):
        ask(budget, GOOD, "good")
    for _ in range(50):
        ask(budget, REFUSED, "bad")
        ask(budget, GOOD, "good")
    assert budget._pace.rate is not None
    assert budget._pace.rate >= 19


def test_nothing_is_asked_for_a_stream_that_ended(clock: Clock) -> None:
    budget = alone(clock)
    budget.end("s", "why")
    with pytest.raises(ReadError, match=r"^why$"):
        budget.acquire(tally())
    assert budget._in_flight == 0
    assert ask(budget, GOOD, "other") == 1000


def test_the_end_of_a_stream_wakes_its_requests() -> None:
    budget = Budget((), 4)
    budget.back_off("s", 60, "429")
    failures: list[ReadError] = []

    def run() -> None:
        try:
            budget.acquire(tally())
        except ReadError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: len(budget._queue) == 1)
    budget.end("s", "why")
    thread.join(SECONDS)
    assert [str(error) for error in failures] == ["why"]


@pytest.mark.parametrize("windows", [(), ((1, 100.0),)])
def test_no_wait_for_server_or_rate_is_longer_than_allowed(
    clock: Clock, windows: tuple[tuple[int, float], ...]
) -> None:
    budget = alone(clock, *windows)
    ask(budget, Outcome(is_good=True, limits=[Announcement("", 5, 0, 100)]))
    with pytest.raises(ReadError, match=r"^its limit is spent until .*Z, longer than max_wait"):
        budget.acquire(tally(), 99)
    assert clock.now == 1000
    assert budget.acquire(tally(), 101).at == 1100


def test_limits_of_another_kind_do_not_stop_a_stream(clock: Clock) -> None:
    budget = alone(clock)
    ask(budget, Outcome(is_good=True, limits=[Announcement("10", 10, 9, 100)]), "one")
    ask(budget, Outcome(is_throttled=True, limits=[Announcement("2", 2, 0, 100)]), "two")
    assert ask(budget, GOOD, "one") == 1000
    assert ask(budget, GOOD, "two") == 1100


def test_the_next_stream_is_taken_to_have_the_same_limits(clock: Clock) -> None:
    budget = alone(clock)
    ask(budget, Outcome(is_good=True, limits=[Announcement("", 5, 0, 100)]), "one")
    assert ask(budget, GOOD, "two") == 1100


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_announced_limits_are_met_without_a_refusal(limit: int) -> None:
    """A server with windows of 0.3 s, 8 threads that ask as fast as they may."""
    budget = Budget((), 8)
    lock = threading.Lock()
    window, used, refused, served = time.monotonic() + 0.3, 0, 0, 0

    def serve() -> Outcome:
        nonlocal window, used, refused, served
        with lock:
            now = time.monotonic()
            if now >= window:
                window, used = now + 0.3, 0
            used += 1
            served += 1
            refused += used > limit
            said = Announcement("", limit, max(limit - used, 0), window - now)
        time.sleep(0.002)
        return Outcome(is_good=used <= limit, is_throttled=used > limit, limits=[said])

    ask_first = budget.acquire(tally())
    budget.release(ask_first, serve())

    def work() -> None:
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            leave = budget.acquire(tally())
            budget.release(leave, serve())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert refused == 0
    assert served >= 3 * limit


def test_retries_are_rationed() -> None:
    allowance = Allowance()
    assert [allowance.take() for _ in range(22)] == [True] * 20 + [False] * 2


def test_good_answers_earn_retries() -> None:
    allowance = Allowance()
    while allowance.take():
        pass
    for _ in range(7):
        allowance.earn()
    assert not allowance.take()
    allowance.earn()
    assert allowance.take()
    assert not allowance.take()


def test_retries_do_not_pile_up() -> None:
    allowance = Allowance()
    for _ in range(700):
        allowance.earn()
    assert sum(allowance.take() for _ in range(200)) == 100


def test_only_good_answers_earn_retries(clock: Clock) -> None:
    budget = alone(clock)
    while budget.may_retry():
        pass
    for _ in range(20):
        ask(budget, REFUSED)
        ask(budget, Outcome())
    assert not budget.may_retry()
    for _ in range(8):
        ask(budget)
    assert budget.may_retry()


def test_the_end_lets_everybody_go() -> None:
    budget = Budget((), 1)
    budget.acquire(tally())
    threads = [in_thread(budget) for _ in range(3)]
    until(lambda: len(budget._queue) == 3)
    budget.close()
    for thread, granted in threads:
        thread.join(SECONDS)
        assert len(granted) == 1
    budget.back_off("s", 1000, "429")
    assert budget.acquire(tally()).endpoint.name == "s"


@pytest.mark.parametrize(("seconds", "said"), [(9.0, False), (25.0, True)])
def test_long_waits_are_announced(
    clock: Clock, caplog: pytest.LogCaptureFixture, seconds: float, *, said: bool
) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    budget = alone(clock)
    ask(budget, Outcome(told=seconds, why="429"))
    assert caplog.messages == []
    ask(budget)
    words = ["api: told to wait 25 s (429)", "api: going on"]
    assert caplog.messages == (words if said else [])


def test_a_stream_that_waits_alone_says_so(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    budget = alone(clock)
    budget.back_off("s", 62, "420")
    ask(budget, GOOD, "other")
    ask(budget)
    assert caplog.messages == ["s: retrying in 62 s (420)", "s: going on"]


def test_a_spent_limit_says_so(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    budget = alone(clock, (1, 30.0))
    ask(budget)
    ask(budget)
    assert caplog.messages == ["api: waiting 30 s for its rate", "api: going on"]


def test_a_long_wait_is_announced_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    budget = Budget((), 8, "api", clock)
    ask(budget, Outcome(told=30, why="429"))
    threads = [in_thread(budget) for _ in range(3)]
    until(lambda: len(budget._queue) == 3)
    assert caplog.messages == ["api: told to wait 30 s (429)"]
    budget._stop_all(budget._pause._replace(until=1035.0))  # type: ignore[union-attr]
    threads.append(in_thread(budget))
    until(lambda: len(budget._queue) == 4)
    assert len(caplog.messages) == 1
    budget.close()
    for thread, _ in threads:
        thread.join(SECONDS)
