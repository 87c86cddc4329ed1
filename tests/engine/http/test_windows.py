"""Declared limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.http.windows import Windows


def test_without_limits_every_time_is_right() -> None:
    windows = Windows(())
    windows.use(5.0)
    assert windows.free_at() == 0


def test_a_window_lets_so_many_through_in_its_time() -> None:
    windows = Windows([(2, 10.0)])
    windows.use(1000)
    assert windows.free_at() == 0
    windows.use(1004)
    assert windows.free_at() == 1010
    windows.use(1010)
    assert windows.free_at() == 1014


def test_all_windows_have_to_agree() -> None:
    windows = Windows([(5, 1.0), (3, 60.0)])
    for _ in range(3):
        windows.use(1000)
    assert windows.free_at() == 1060


@given(
    st.lists(st.tuples(st.integers(1, 9), st.floats(0.1, 50)), min_size=1, max_size=3),
    st.lists(st.floats(0, 5), max_size=80),
)
def test_no_window_is_ever_overrun(limits: list[tuple[int, float]], gaps: list[float]) -> None:
    windows, now, sent = Windows(limits), 1000.0, []
    for gap in gaps:
        now = max(now + gap, windows.free_at())
        windows.use(now)
        sent.append(now)
    for count, seconds in limits:
        for first, last in zip(sent, sent[count:], strict=False):
            assert last - first >= seconds * 0.999999
