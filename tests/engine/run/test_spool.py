"""Ordering more rows than fit in memory, and keys that come twice."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_analytics.engine.run import spool as spools
from tap_analytics.engine.run.spool import KeyLedger, Row, Spool
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
    monkeypatch.setattr(spools, "_KEYS_IN_MEMORY", 5)


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


PARTS = st.sampled_from([*range(9), -1, -2, -9, 2**61 - 1, 2**61, 2**62, "0", "1", "-1", "a"])
KEYS = st.one_of(st.tuples(st.integers(0, 20)), st.tuples(PARTS), st.tuples(PARTS, PARTS))


@given(st.lists(st.lists(KEYS, max_size=9), max_size=12))
def test_keys_that_come_twice_are_counted(pages: list[list[Any]]) -> None:
    ledger = KeyLedger()
    for keys in pages:
        ledger.add(keys)
    every = [key for keys in pages for key in keys]
    assert ledger.repeats() == len(every) - len(set(every))


def test_keys_that_came_lately_are_known() -> None:
    ledger = KeyLedger()
    assert ledger.add([("a", 1), ("a", 2), ("a", 1)]) == [("a", 1), ("a", 2)]
    assert ledger.repeated == 1
    assert ledger.add([("a", 2), ("a", 3)]) == [("a", 3)]
    assert ledger.repeats() == 2


def test_keys_from_long_ago_are_found_at_the_end() -> None:
    ledger = KeyLedger()
    assert len(ledger.add([(number,) for number in range(5)])) == 5
    assert ledger.add([(0,)]) == [(0,)]
    assert ledger.repeated == 0
    assert ledger.repeats() == 1


def test_keys_that_cannot_be_hashed_are_told_apart_too() -> None:
    ledger = KeyLedger()
    assert len(ledger.add([({"a": 1},), ({"a": 2},), ({"a": 1},)])) == 2
    assert ledger.repeats() == 1


def test_keys_with_equal_hashes_are_told_apart() -> None:
    ledger = KeyLedger()
    ledger.add([(-1,)])
    assert ledger.add([(-2,)]) == [(-2,)]
    assert ledger.repeats() == 0


def test_ids_in_a_row_are_looked_through_in_shares_of_a_like_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spools, "_KEYS_IN_MEMORY", 50_000)
    ledger = KeyLedger()
    ledger.add([(10**9 + number,) for number in range(51_200)])
    sizes = list(map(len, ledger._blocks.read(ledger._runs[0])))
    assert sum(sizes) == 8 * 51_200
    assert max(sizes) < 3 * sum(sizes) / len(sizes)
    assert ledger.repeats() == 0


def test_keys_may_be_numbers_in_some_rows_and_texts_in_others() -> None:
    spool = Spool(mixed_keys=True)
    keys = [("b", 1), (7, 1), ("a", 2), (2, 1), ("a", 1), (7, 1)]
    for number, key in enumerate(keys):
        spool.add(row(5, key, number=number))
    assert [one.number for one in spool.rows()] == [3, 5, 4, 2, 0]
