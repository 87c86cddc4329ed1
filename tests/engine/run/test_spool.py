"""Ordering more rows than fit in memory."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_analytics.engine.run import spool as spools
from tap_analytics.engine.run.spool import Row, Spool
from tap_analytics.engine.values.cursors import FIRST
from tests.engine.doubles import row

ROWS = st.lists(
    st.tuples(st.sampled_from([FIRST, -1, 0, 1, 2]), st.integers(0, 6), st.binary(max_size=9)),
    max_size=60,
)


@pytest.fixture(autouse=True)
def _small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "_BYTES_IN_MEMORY", 2_000)
    monkeypatch.setattr(spools, "_ROWS_PER_BLOCK", 3)


@settings(deadline=None)
@given(ROWS)
def test_rows_come_in_order_and_each_key_once(parts: list[tuple[int, int, bytes]]) -> None:
    spool = Spool()
    latest: dict[tuple[int, int], Row] = {}
    for number, (order, key, lines) in enumerate(parts):
        latest[order, key] = row(order, key, number=number, lines=lines)
        spool.add(latest[order, key])
    found = list(spool.rows())
    assert found == [latest[place] for place in sorted(latest)]
    assert all(type(item) is Row for item in found)
    spool.close()


def test_rows_survive_the_file_whole() -> None:
    spool = Spool()
    context: dict[str, Any] = {"a": "é\ud800", "b": 2**70, "c": None, "d": [1.5, True]}
    rows = [Row(n, (str(n), n), n, b"x" * 900, n, context) for n in (3, 1, 2)]
    for item in rows:
        spool.add(item)
    assert len(spool._runs) == 1
    assert list(spool.rows()) == [rows[1], rows[2], rows[0]]
    spool.close()


def test_few_rows_need_no_file() -> None:
    spool = Spool()
    spool.add(row(1))
    assert list(spool.rows()) == [row(1)]
    assert spool._blocks._file is None


def test_the_file_is_gone_with_the_rows() -> None:
    spool = Spool()
    for number in range(20):
        spool.add(row(number, lines=b"x" * 300))
    descriptor = spool._blocks._file.fileno()
    assert os.fstat(descriptor).st_nlink == 0
    spool.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert list(spool.rows()) == []
    spool.add(row(5))
    assert list(spool.rows()) == [row(5)]


def test_a_spool_can_be_used_again() -> None:
    spool = Spool()
    for start in (0, 100):
        for number in range(20):
            spool.add(row(start + number, lines=b"x" * 300))
        assert [item.order for item in spool.rows()] == list(range(start, start + 20))
        spool.close()


def test_keys_may_be_numbers_in_some_rows_and_texts_in_others() -> None:
    spool = Spool(mixed_keys=True)
    keys = [("b", 1), (7, 1), ("a", 2), (2, 1), ("a", 1), (7, 1)]
    for number, key in enumerate(keys):
        spool.add(row(5, key, number=number))
    assert [one.number for one in spool.rows()] == [3, 5, 4, 2, 0]
