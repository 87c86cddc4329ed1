"""Keys that come twice."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_analytics.engine.run import ledger as ledgers
from tap_analytics.engine.run.ledger import KeyLedger

INTEGERS = [*range(9), -1, -2, -9, 2**61 - 2, 2**61 - 1, 2**61, 2**62]
LARGE = [2**63 - 1, 2**63, 2**63 + 1, -(2**63), -(2**63) - 1, 2**64, 2**80]
TEXTS = ["", "0", "1", "-1", "a", "\xe9", "\u0416", str(2**63), "[[1]]", '[{"a":1}]']
PARTS = st.sampled_from([*INTEGERS, *LARGE, *TEXTS, None, True, 1.0, [1], {"a": 1}])
KEYS = [st.tuples(st.integers(0, 20) | PARTS), st.tuples(PARTS, PARTS)]
PAGES = st.one_of(
    *(st.lists(st.lists(keys, max_size=9), max_size=12) for keys in KEYS),
    *(
        st.lists(st.lists(st.tuples(st.sampled_from(parts)), max_size=9), max_size=12)
        for parts in (INTEGERS, LARGE, TEXTS)
    ),
    st.lists(st.lists(st.integers(-50, 50).map(lambda number: (number,)), max_size=9), max_size=40),
)
"""Pages of keys of all kinds, and of one kind only."""


@pytest.fixture(autouse=True)
def _small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "_KEYS_IN_MEMORY", 5)
    monkeypatch.setattr(ledgers, "_MARKS_PER_BLOCK", 2)
    monkeypatch.setattr(ledgers, "_BLOCKS_PER_SHARE", 3)


@settings(max_examples=500)
@given(PAGES)
def test_keys_that_come_twice_are_counted(pages: list[list[Any]]) -> None:
    ledger = KeyLedger()
    for keys in pages:
        ledger.add(keys)
    every = [repr(key) for keys in pages for key in keys]
    assert ledger.repeats() == len(every) - len(set(every))


@pytest.mark.parametrize("step", [1, -1, 3])
def test_keys_in_a_row_are_not_read_again(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    pread = os.pread

    def spied(*told: int) -> bytes:
        read.append(told[1])
        return pread(*told)

    monkeypatch.setattr(os, "pread", spied)
    ledger, twice = KeyLedger(), KeyLedger()
    ids = [(10**9 + number * step,) for number in range(200)]
    for start in range(0, 200, 7):
        ledger.add(ids[start : start + 7])
        twice.add(ids[start : start + 7])
    assert ledger.repeats() == 0
    assert not read
    twice.add(ids[:1])
    assert twice.repeats() == 1
    assert read


@pytest.mark.parametrize(
    "key", [lambda n: n * 7919 % 51_200, lambda n: f"key {n}"], ids=["numbers", "texts"]
)
def test_shares_of_what_was_read_are_of_a_like_size(
    key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "_KEYS_IN_MEMORY", 1_000)
    monkeypatch.setattr(ledgers, "_BLOCKS_PER_SHARE", 500)
    ledger = KeyLedger()
    for start in range(0, 51_200, 100):
        ledger.add([(key(number),) for number in range(start, start + 100)])
    ledger._spill()
    sizes = [len(share) for share in ledger._shares()]
    assert sum(sizes) == 51_200
    assert len(sizes) > 40
    assert max(sizes) < 2 * sum(sizes) / len(sizes)
    assert ledger.repeats() == 0


def test_few_keys_need_no_file() -> None:
    ledger = KeyLedger()
    ledger.add([(1,), (2,), (1,)])
    assert ledger._file is None
    assert ledger.repeats() == 1


def test_the_file_is_gone_with_the_ledger() -> None:
    ledger = KeyLedger()
    for number in range(20):
        ledger.add([(number,)])
    descriptor = ledger._file.fileno()
    assert os.fstat(descriptor).st_nlink == 0
    ledger.repeats()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_keys_that_came_lately_are_known() -> None:
    ledger = KeyLedger()
    assert ledger.fresh([("a", 1), ("a", 2), ("a", 1)]) == [("a", 1), ("a", 2)]
    assert ledger.fresh([("a", 2), ("a", 3)]) == [("a", 3)]
    assert ledger.fresh([(f"{number}", 1) for number in range(5)])
    assert ledger.fresh([("a", 2)]) == [("a", 2)], "long ago"
