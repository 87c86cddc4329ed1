"""The rate that nobody declared, and what teaches it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.http.pace import SLOWEST, Pace

NOW = 1000.0


def succeed(pace: Pace, now: float, times: int = 1) -> None:
    for _ in range(times):
        pace.use(now)
        pace.succeeded(now, now)


def learned(pace: Pace, now: float = NOW, *, good: int = 20) -> float:
    """Return the rate learned after so many good answers and a refusal."""
    succeed(pace, now, good)
    pace.refused(now, now)
    assert pace.rate is not None
    return pace.rate


def test_requests_in_flight_grow_with_good_answers() -> None:
    pace = Pace(7)
    allowed = []
    for _ in range(30):
        succeed(pace, NOW)
        allowed.append(pace.in_flight)
    assert allowed == [4] * 7 + [5] * 8 + [6] * 8 + [7] * 7


def test_growth_goes_on_faster_once_it_is_safe() -> None:
    pace = Pace(64)
    succeed(pace, NOW, 24)
    assert pace.in_flight == 59
    succeed(pace, NOW, 3)
    assert pace.in_flight == 62


@pytest.mark.parametrize(
    ("concurrency", "first"), [(1, 1), (3, 3), (8, 4), (12, 4), (13, 5), (20, 12)]
)
def test_the_first_requests_in_flight_are_a_few_or_not_many_less_than_all(
    concurrency: int, first: int
) -> None:
    assert Pace(concurrency).in_flight == first


def test_the_first_slower_sets_the_rate_to_what_was_let_through() -> None:
    pace, now = Pace(4), NOW
    for _ in range(40):
        succeed(pace, now)
        now += 0.0625
    pace.refused(now, now)
    assert pace.rate == pytest.approx(17 * 0.95)


def test_a_rate_is_learned_from_enough_answers() -> None:
    assert learned(Pace(4), good=5) == pytest.approx(5 * 0.95)


@pytest.mark.parametrize(
    ("concurrency", "allowed"), [(1, [1, 1]), (2, [1, 1]), (3, [1, 1]), (4, [2, 1]), (9, [2, 1])]
)
def test_from_fewer_answers_only_caution_is_learned(concurrency: int, allowed: list[int]) -> None:
    pace = Pace(concurrency)
    succeed(pace, NOW, 4)
    for second, number in enumerate(allowed):
        pace.refused(NOW + second, NOW + second)
        assert pace.rate is None
        assert pace.in_flight == number


def test_answers_of_long_ago_are_no_evidence() -> None:
    pace = Pace(4)
    succeed(pace, NOW, 9)
    succeed(pace, NOW + 1.001, 4)
    pace.refused(NOW + 1.001, NOW + 1.001)
    assert pace.rate is None


def test_caution_passes() -> None:
    pace = Pace(4)
    pace.refused(NOW, NOW)
    assert pace.in_flight == 2
    succeed(pace, NOW, 16)
    assert pace.in_flight == 4


def test_answers_to_requests_from_before_teach_nothing() -> None:
    pace = Pace(4)
    succeed(pace, NOW, 20)
    for _ in range(3):
        pace.refused(NOW, NOW + 0.5)
    assert pace.rate == pytest.approx(19)


def test_answers_to_requests_from_before_are_no_reason_for_more_caution() -> None:
    pace = Pace(4)
    for _ in range(4):
        pace.refused(NOW, NOW + 0.5)
    assert pace.in_flight == 2


def test_good_answers_that_a_refusal_overtook_count_as_well() -> None:
    pace = Pace(8)
    succeed(pace, NOW, 16)
    pace.refused(NOW, NOW + 0.01)
    assert pace.rate == pytest.approx(16 * 0.95)
    for _ in range(4):
        pace.succeeded(NOW, NOW + 0.01)
    assert pace.rate == pytest.approx(20 * 0.95)


def test_requests_that_slipped_through_before_a_pause_teach_nothing() -> None:
    pace = Pace(4)
    learned(pace)
    pace.forget(NOW + 0.07)
    pace.refused(NOW + 0.06, NOW + 0.08)
    assert pace.rate == pytest.approx(19)


def test_the_rate_learned_holds() -> None:
    pace = Pace(4)
    learned(pace)
    pace.use(NOW + 1)
    assert pace.free_at() == pytest.approx(NOW + 1 + 1 / 19)


def test_another_slower_lowers_the_rate_if_something_got_through() -> None:
    pace = Pace(4)
    learned(pace)
    succeed(pace, NOW + 1)
    pace.refused(NOW + 1, NOW + 1)
    assert pace.rate == pytest.approx(19 * 0.7)


def test_slower_and_nothing_else_teaches_nothing() -> None:
    pace = Pace(4)
    learned(pace)
    for second in range(1, 500):
        pace.refused(NOW + second, NOW + second)
    assert pace.rate == pytest.approx(19)


def test_the_rate_is_not_lowered_below_what_gets_through() -> None:
    pace = Pace(4)
    learned(pace)
    succeed(pace, NOW + 1, 18)
    pace.refused(NOW + 1, NOW + 1)
    assert pace.rate == pytest.approx(18 * 0.95)


def test_the_rate_has_a_floor() -> None:
    pace, now = Pace(4), NOW
    learned(pace)
    for _ in range(100):
        now += 20
        succeed(pace, now)
        pace._before_probe = None
        pace.refused(now, now)
    assert pace.rate == pytest.approx(SLOWEST)


def test_after_a_quiet_time_a_higher_rate_is_tried() -> None:
    pace = Pace(4)
    learned(pace)
    succeed(pace, NOW + 20)
    assert pace.rate == pytest.approx(19)
    succeed(pace, NOW + 20.25)
    assert pace.rate == pytest.approx(19 * 1.25)
    succeed(pace, NOW + 40.25)
    assert pace.rate == pytest.approx(19 * 1.25)
    succeed(pace, NOW + 40.5)
    assert pace.rate == pytest.approx(19 * 1.25 * 1.25)


def test_a_higher_rate_is_given_up_if_the_server_objects() -> None:
    pace = Pace(4)
    learned(pace)
    succeed(pace, NOW + 21)
    pace.refused(NOW + 22, NOW + 22)
    assert pace.rate == pytest.approx(19)
    succeed(pace, NOW + 82)
    assert pace.rate == pytest.approx(19)
    succeed(pace, NOW + 82.25)
    assert pace.rate == pytest.approx(19 * 1.25)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 40), st.floats(0, 3)), max_size=200))
def test_no_answers_make_it_stand_still(answers: list[tuple[bool, float, float]]) -> None:
    pace, now = Pace(8), NOW
    for good, gap, latency in answers:
        granted = now = max(now + gap, pace.free_at())
        pace.use(now)
        now += latency
        if good:
            pace.succeeded(granted, now)
        else:
            pace.refused(granted, now)
        assert 1 <= pace.in_flight <= 8
        assert pace.rate is None or pace.rate >= SLOWEST * 0.999999
        assert pace.free_at() <= now + 1 / SLOWEST * 1.000001


@pytest.mark.parametrize("dead", [1, 4])
def test_endpoints_that_are_always_refused_do_not_slow_the_others(dead: int) -> None:
    """Each of the dead ones teaches once, as the budget lets it."""
    pace, now = Pace(8), NOW
    for number in range(1000):
        now = max(now + 0.02, pace.free_at())
        pace.use(now)
        if number % 40 == 39 and number // 40 < dead:
            pace.refused(now, now)
        else:
            pace.succeeded(now, now)
    assert pace.rate is not None
    assert pace.rate > 20
