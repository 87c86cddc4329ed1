"""Ordering more rows than fit in memory."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_analytics.engine.run import spool as spools
from tap_analytics.engine.run.spool import Row, Spool
from tap_analytics.engine.values.cursors import FIRST
from tests.engine.doubles import row, spooled

ROWS = st.lists(
    st.tuples(st.sampled_from([FIRST, -1, 0, 1, 2]), st.integers(0, 6), st.binary(max_size=9)),
    max_size=60,
)
MIXED = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 2, "0", "a", "b"]), st.binary(max_size=9)),
    max_size=60,
)


@pytest.fixture(autouse=True)
def _small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "_BYTES_IN_MEMORY", 2_000)
    monkeypatch.setattr(spools, "_BYTES_IN_BLOCK", 700)


def put(spool: Spool, *rows: Row) -> None:
    spool.extend([tuple(item) for item in rows])


def latest_of(
    spool: Spool, parts: list[tuple[int, Any, bytes]], size: int
) -> dict[tuple[int, Any], Row]:
    """Put rows into a spool, so many at a time, and return the last of each pair."""
    rows = [
        row(order, (key,), number=number, lines=lines)
        for number, (order, key, lines) in enumerate(parts)
    ]
    for start in range(0, len(rows), size):
        put(spool, *rows[start : start + size])
    return {(item.order, item.key): item for item in rows}


@settings(deadline=None)
@given(ROWS, st.integers(1, 9))
def test_rows_come_in_order_and_each_key_once(
    parts: list[tuple[int, int, bytes]], size: int
) -> None:
    spool = Spool()
    latest = latest_of(spool, parts, size)
    found = spooled(spool)
    assert found == [latest[place] for place in sorted(latest)]
    assert all(type(item) is Row for item in found)
    spool.close()


@settings(deadline=None)
@given(MIXED, st.integers(1, 9))
def test_keys_may_be_numbers_in_some_rows_and_texts_in_others(
    parts: list[tuple[int, Any, bytes]], size: int
) -> None:
    spool = Spool(mixed_keys=True)
    latest = latest_of(spool, parts, size)
    found = spooled(spool)
    by_kind = sorted(latest, key=lambda pair: (pair[0], isinstance(pair[1][0], str), pair[1]))
    assert found == [latest[pair] for pair in by_kind]
    spool.close()


@pytest.mark.parametrize("kind", ["sorted", "reversed", "shuffled", "equal"])
def test_of_each_run_little_more_than_a_block_is_in_memory(kind: str) -> None:
    spool = Spool()
    factor = {"sorted": 1, "reversed": -1, "shuffled": 7919, "equal": 0}[kind]
    rows = [row(number * factor % 1009, number, number=number) for number in range(1000)]
    for start in range(0, 1000, 10):
        put(spool, *rows[start : start + 10])
    stretches = list(spool.stretches())
    runs = len(spool._runs)
    assert runs == 100
    of_block = 1 + 700 // spools._ROW_OVERHEAD
    assert max(map(len, stretches)) <= 2 * runs * of_block
    assert [item[2] for rows in stretches for item in rows] == [
        item.number for item in sorted(rows)
    ]
    spool.close()


def test_runs_are_small_while_they_are_few_and_no_larger_than_the_memory() -> None:
    spool = Spool(memory=80_000)
    sizes: list[int] = []
    for number in range(20_000):
        put(spool, row(number))
        if len(spool._runs) > len(sizes):
            sizes.append(number + 1 - sum(sizes))
    per_run = [10_000 * share // spools._ROW_OVERHEAD + 1 for share in range(1, 9)]
    assert sizes[0] == per_run[-1], "what fits in memory stays there"
    assert [sizes[place] for place in (1, 15, 16, 31, 32, 111, 112)] == [
        per_run[share] for share in (0, 0, 1, 1, 2, 6, 7)
    ]
    assert max(sizes) == per_run[-1]
    assert [item.number for item in spooled(spool)] == [0] * 20_000
    spool.close()


def test_the_first_run_is_in_memory_until_others_grow() -> None:
    spool = Spool(memory=8_000)
    line = bytes(9)
    unused = sys.getrefcount(line)
    for number in range(1_000):
        put(spool, row(number, number, lines=line))
        if not spool._rows:
            assert (sys.getrefcount(line) > unused) is (len(spool._runs) < spools._RUNS_OF_A_SIZE)
    assert len(spool._runs) > 2 * spools._RUNS_OF_A_SIZE
    assert [item.order for item in spooled(spool)] == list(range(1_000))
    spool.close()


def test_rows_survive_the_file_whole() -> None:
    spool = Spool()
    context: dict[str, Any] = {"a": "é\ud800", "b": 2**70, "c": None, "d": [1.5, True]}
    rows = [Row(n, (str(n), n), n, b"x\n" * 450, n, context) for n in (3, 1, 5, 2, 4)]
    rows += [Row(n, (n,), n, b"", None, None) for n in (6, 7)]
    for item in rows:
        put(spool, item)
    assert len(spool._runs) == 6, "of which the first is in memory"
    assert spooled(spool) == sorted(rows)
    spool.close()


def test_few_rows_need_no_file() -> None:
    spool = Spool()
    put(spool, row(1))
    assert spooled(spool) == [row(1)]
    assert spool._file._file is None


def test_the_file_is_gone_with_the_rows() -> None:
    spool = Spool()
    for number in range(20):
        put(spool, row(number, lines=b"x" * 300))
    descriptor = spool._file._file.fileno()
    assert os.fstat(descriptor).st_nlink == 0
    spool.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert spooled(spool) == []
    put(spool, row(5))
    assert spooled(spool) == [row(5)]


def test_a_spool_can_be_used_again() -> None:
    spool = Spool()
    for start in (0, 100):
        for number in range(20):
            put(spool, row(start + number, lines=b"x" * 300))
        assert [item.order for item in spooled(spool)] == list(range(start, start + 20))
        spool.close()
