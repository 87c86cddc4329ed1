"""One budget of requests: limits declared and learned, pauses shared, retries rationed."""

from __future__ import annotations

import logging
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tap_analytics.engine.http import budget as budgets
from tap_analytics.engine.http.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10.0


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(budgets, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def in_thread(budget: Budget) -> tuple[threading.Thread, list[float]]:
    """Ask for leave in a thread; the list holds it once it is granted."""
    granted: list[float] = []
    thread = threading.Thread(target=lambda: granted.append(budget.acquire()), daemon=True)
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


def succeed(budget: Budget, times: int = 1) -> None:
    for _ in range(times):
        budget.release(budget.acquire(), good=True)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_leave_is_the_time_it_was_given(clock: Clock) -> None:
    assert Budget((), 1).acquire() == clock.now


@pytest.mark.parametrize(("concurrency", "granted"), [(1, 1), (3, 3), (4, 4), (8, 4)])
def test_a_few_requests_are_in_flight_at_first(concurrency: int, granted: int) -> None:
    budget = Budget((), concurrency)
    for _ in range(granted):
        budget.acquire()
    assert is_blocked(budget)


@pytest.mark.parametrize(("good", "throttled"), [(True, False), (False, False), (False, True)])
def test_an_answer_makes_room_for_a_request(*, good: bool, throttled: bool) -> None:
    budget = Budget((), 1)
    leave = budget.acquire()
    thread, granted = in_thread(budget)
    time.sleep(0.02)
    assert granted == []
    budget.release(leave, good=good, throttled=throttled)
    thread.join(SECONDS)
    assert len(granted) == 1


def test_requests_in_flight_grow_with_good_answers() -> None:
    budget = Budget((), 7)
    allowed = []
    for _ in range(30):
        succeed(budget)
        allowed.append(budget._allowed)
    assert allowed == [4] * 7 + [5] * 8 + [6] * 8 + [7] * 7


def test_growth_goes_on_faster_once_it_is_safe() -> None:
    budget = Budget((), 64)
    succeed(budget, 24)
    assert budget._allowed == 35
    succeed(budget, 3)
    assert budget._allowed == 38


@pytest.mark.parametrize(("concurrency", "first"), [(1, 1), (3, 3), (8, 4), (20, 10)])
def test_the_first_requests_in_flight_are_a_few_or_half(concurrency: int, first: int) -> None:
    assert Budget((), concurrency)._allowed == first


@pytest.mark.parametrize("throttled", [True, False])
def test_other_answers_do_not_grow_anything(*, throttled: bool) -> None:
    budget = Budget((), 64)
    succeed(budget, 20)
    while budget.may_retry():
        pass
    for _ in range(20):
        budget.release(time.monotonic(), good=False, throttled=throttled)
    assert budget._allowed == 34
    assert budget._successes == 20
    assert not budget.may_retry()


def test_a_window_lets_so_many_through_in_its_time(clock: Clock) -> None:
    budget = Budget([(2, 10.0)], 4)
    succeed(budget)
    clock.now += 4
    succeed(budget)
    clock.now += 6
    succeed(budget)
    assert budget._windows[0].free_at() == clock.now + 4
    assert is_blocked(budget)


def test_the_next_request_waits_for_the_window() -> None:
    budget = Budget([(2, 0.15)], 4)
    times = []
    for _ in range(5):
        times.append(budget.acquire())
        budget.release(times[-1], good=True)
    assert times[1] - times[0] < 0.15
    assert times[2] - times[0] >= 0.15
    assert times[4] - times[2] >= 0.15
    assert times[4] - times[0] < 2


def test_all_windows_have_to_agree(clock: Clock) -> None:
    budget = Budget([(5, 1.0), (3, 60.0)], 4)
    succeed(budget, 3)
    clock.now += 59
    assert is_blocked(budget)


def test_an_unused_window_is_free(clock: Clock) -> None:
    budget = Budget([(1, 3600.0)], 4)
    assert budget._windows[0].free_at() == 0
    assert budget.acquire() == clock.now
    assert is_blocked(budget)


@pytest.mark.usefixtures("clock")
def test_a_pause_is_for_all() -> None:
    budget = Budget((), 4)
    assert budget.pause(5) == 5
    assert is_blocked(budget)


def test_a_pause_ends() -> None:
    budget = Budget((), 4)
    started = time.monotonic()
    budget.pause(0.1)
    assert 0.1 <= budget.acquire() - started < 2


def test_a_pause_that_ends_lets_those_go_that_wait() -> None:
    budget = Budget((), 4)
    started = time.monotonic()
    budget.pause(0.1)
    threads = [in_thread(budget) for _ in range(3)]
    for thread, granted in threads:
        thread.join(SECONDS)
        assert 0.1 <= granted[0] - started < 2


def test_pauses_overlap_and_do_not_add_up(clock: Clock) -> None:
    budget = Budget((), 4)
    assert budget.pause(5) == 5
    assert budget.pause(5) == 0
    assert budget.pause(3) == 0
    clock.now += 2
    assert budget.pause(5) == 2
    clock.now += 100
    assert budget.pause(1) == 1


def test_the_first_slower_sets_the_rate_to_what_was_let_through(clock: Clock) -> None:
    budget = Budget((), 4)
    for _ in range(40):
        succeed(budget)
        clock.now += 0.0625
    leave = budget.acquire()
    budget.release(leave, good=False, throttled=True)
    assert budget._learned is not None
    assert budget._learned.seconds == pytest.approx(1 / (17 * 0.95))
    assert budget._learned.count == 1
    assert budget._learned_at == clock.now


def learned(budget: Budget, *, good: int = 20) -> float:
    """Return the rate learned after so many good answers and one that is none."""
    succeed(budget, good)
    slower(budget)
    return rate_of(budget)


def slower(budget: Budget) -> None:
    budget.release(budget.acquire(), good=False, throttled=True)


def rate_of(budget: Budget) -> float:
    assert budget._learned is not None
    assert budget._learned.count == 1
    return 1 / budget._learned.seconds


def test_a_rate_is_learned_from_enough_answers(clock: Clock) -> None:
    assert learned(Budget((), 4), good=5) == pytest.approx(5 * 0.95)
    assert clock.now == 1000


@pytest.mark.parametrize(
    ("concurrency", "allowed"), [(1, [1, 1]), (2, [1, 1]), (3, [1, 1]), (4, [2, 1]), (9, [2, 1])]
)
def test_from_fewer_answers_only_caution_is_learned(
    clock: Clock, concurrency: int, allowed: list[int]
) -> None:
    budget = Budget((), concurrency)
    succeed(budget, 4)
    for number in allowed:
        slower(budget)
        assert budget._learned is None
        assert budget._allowed == number
        clock.now += 1


def test_answers_of_long_ago_are_no_evidence(clock: Clock) -> None:
    budget = Budget((), 4)
    succeed(budget, 9)
    clock.now += 1.001
    succeed(budget, 4)
    slower(budget)
    assert budget._learned is None


def test_caution_passes(clock: Clock) -> None:
    budget = Budget((), 4)
    slower(budget)
    assert (budget._allowed, clock.now) == (2, 1000)
    succeed(budget, 16)
    assert budget._allowed == 4


def test_answers_to_requests_from_before_teach_nothing(clock: Clock) -> None:
    budget = Budget((), 4)
    succeed(budget, 20)
    leaves = [budget.acquire() for _ in range(3)]
    clock.now += 0.5
    for leave in leaves:
        budget.release(leave, good=False, throttled=True)
    assert rate_of(budget) == pytest.approx(19)


def test_answers_to_requests_from_before_are_no_reason_for_more_caution(clock: Clock) -> None:
    budget = Budget((), 4)
    leaves = [budget.acquire() for _ in range(4)]
    clock.now += 0.5
    for leave in leaves:
        budget.release(leave, good=False, throttled=True)
    assert budget._allowed == 2


def test_a_request_of_the_same_moment_teaches(clock: Clock) -> None:
    budget = Budget((), 4)
    assert learned(budget) == pytest.approx(19)
    budget.release(clock.now, good=False, throttled=True)
    assert rate_of(budget) == pytest.approx(19 * 0.7)


def test_good_answers_that_a_refusal_overtook_count_as_well(clock: Clock) -> None:
    budget = Budget((), 8)
    succeed(budget, 16)
    leaves = [budget.acquire() for _ in range(5)]
    clock.now += 0.01
    budget.release(leaves.pop(), good=False, throttled=True)
    assert rate_of(budget) == pytest.approx(16 * 0.95)
    for leave in leaves:
        budget.release(leave, good=True)
    assert rate_of(budget) == pytest.approx(20 * 0.95)
    clock.now += 1
    slower(budget)
    rate = rate_of(budget)
    clock.now += 1
    succeed(budget)
    assert rate_of(budget) == rate


def test_requests_that_slipped_through_before_a_pause_teach_nothing(clock: Clock) -> None:
    budget = Budget((), 4)
    learned(budget)
    clock.now += 0.06
    leave = budget.acquire()
    clock.now += 0.01
    budget.pause(1)
    budget.release(leave, good=False, throttled=True)
    assert rate_of(budget) == pytest.approx(19)


def test_another_slower_lowers_the_rate(clock: Clock) -> None:
    budget = Budget((), 4)
    learned(budget)
    clock.now += 1
    slower(budget)
    assert rate_of(budget) == pytest.approx(19 * 0.7)
    assert budget._learned_at == clock.now
    clock.now += 1
    slower(budget)
    assert rate_of(budget) == pytest.approx(19 * 0.7 * 0.7)


def test_the_rate_learned_holds(clock: Clock) -> None:
    budget = Budget((), 4)
    learned(budget)
    clock.now += 1
    succeed(budget)
    assert budget._recent[-1] == clock.now - 1
    assert is_blocked(budget)


def test_after_a_quiet_time_a_higher_rate_is_tried(clock: Clock) -> None:
    budget = Budget((), 4)
    learned(budget)
    clock.now += 20
    succeed(budget)
    assert rate_of(budget) == pytest.approx(19)
    clock.now += 0.25
    succeed(budget)
    assert rate_of(budget) == pytest.approx(19 * 1.25)
    clock.now += 20
    succeed(budget)
    assert rate_of(budget) == pytest.approx(19 * 1.25)
    clock.now += 0.25
    succeed(budget)
    assert rate_of(budget) == pytest.approx(19 * 1.25 * 1.25)


def test_a_higher_rate_is_given_up_if_the_server_objects(clock: Clock) -> None:
    budget = Budget((), 4)
    learned(budget)
    clock.now += 21
    succeed(budget)
    clock.now += 1
    slower(budget)
    assert rate_of(budget) == pytest.approx(19)
    assert budget._learned_at == clock.now
    clock.now += 60
    succeed(budget)
    assert rate_of(budget) == pytest.approx(19)
    clock.now += 0.25
    succeed(budget)
    assert rate_of(budget) == pytest.approx(19 * 1.25)


def test_another_objection_is_about_the_rate_itself(clock: Clock) -> None:
    budget = Budget((), 4)
    learned(budget)
    clock.now += 21
    succeed(budget)
    for rate in (19, 19 * 0.7):
        clock.now += 1
        slower(budget)
        assert rate_of(budget) == pytest.approx(rate)


def test_retries_are_rationed() -> None:
    budget = Budget((), 4)
    assert [budget.may_retry() for _ in range(22)] == [True] * 20 + [False] * 2


def test_good_answers_earn_retries() -> None:
    budget = Budget((), 4)
    while budget.may_retry():
        pass
    succeed(budget, 7)
    assert not budget.may_retry()
    succeed(budget)
    assert budget.may_retry()
    assert not budget.may_retry()


def test_retries_do_not_pile_up() -> None:
    budget = Budget((), 4)
    succeed(budget, 700)
    assert sum(budget.may_retry() for _ in range(200)) == 100


def test_the_end_lets_everybody_go() -> None:
    budget = Budget((), 1)
    budget.acquire()
    threads = [in_thread(budget) for _ in range(3)]
    time.sleep(0.02)
    budget.close()
    for thread, granted in threads:
        thread.join(SECONDS)
        assert len(granted) == 1
    budget.pause(1000)
    assert budget.acquire() <= time.monotonic()


@pytest.mark.parametrize(("seconds", "said"), [(20.0, []), (25.0, ["25"])])
def test_long_waits_are_announced(
    clock: Clock, caplog: pytest.LogCaptureFixture, seconds: float, said: list[str]
) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    budget = Budget((), 4)
    budget.pause(seconds)
    assert is_blocked(budget)
    assert clock.now == 1000
    assert caplog.messages == [f"Waiting {n} s, as the API's limit asks for" for n in said]


def test_a_long_wait_is_announced_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    budget = Budget((), 4)
    budget.pause(30)
    threads = [in_thread(budget) for _ in range(3)]
    until(lambda: len(caplog.messages) == 1)
    budget.pause(50)
    threads.append(in_thread(budget))
    time.sleep(0.05)
    assert len(caplog.messages) == 1
    clock.now += 1
    budget.pause(51)
    threads.append(in_thread(budget))
    until(lambda: len(caplog.messages) == 2)
    budget.close()
    for thread, _ in threads:
        thread.join(SECONDS)
