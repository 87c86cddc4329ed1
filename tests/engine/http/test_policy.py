"""How long to wait before trying again."""

from __future__ import annotations

import backoff
import pytest

from tap_analytics.engine.http.policy import RetryPolicy


@pytest.fixture
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "full_jitter", lambda seconds: seconds)


def test_defaults_are_the_common_documented_ones() -> None:
    assert RetryPolicy() == RetryPolicy(statuses=(429,), max_retries=3, factor=2, constant=None)


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize("throttled", [True, False])
@pytest.mark.parametrize(("retry", "seconds"), [(0, 3), (1, 6), (2, 12), (16, 196_608)])
def test_waits_double(retry: int, seconds: float, *, throttled: bool) -> None:
    assert RetryPolicy(factor=3).wait(retry, throttled=throttled) == seconds


@pytest.mark.usefixtures("no_jitter")
def test_waits_stop_doubling() -> None:
    policy = RetryPolicy(factor=1)
    assert policy.wait(17, throttled=False) == policy.wait(5000, throttled=False) == 65_536


@pytest.mark.usefixtures("no_jitter")
def test_a_constant_counts_for_throttled_answers_only() -> None:
    policy = RetryPolicy(factor=3, constant=62)
    assert [policy.wait(retry, throttled=True) for retry in (0, 1, 5)] == [62, 62, 62]
    assert policy.wait(1, throttled=False) == 6


@pytest.mark.usefixtures("no_jitter")
def test_a_constant_of_zero_is_one() -> None:
    assert RetryPolicy(constant=0).wait(0, throttled=True) == 0


def test_waits_are_jittered_over_their_whole_length() -> None:
    waits = [RetryPolicy(factor=2).wait(1, throttled=False) for _ in range(300)]
    assert all(0 <= wait <= 4 for wait in waits)
    assert min(waits) < 1
    assert max(waits) > 3
