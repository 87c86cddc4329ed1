"""A store whose clock goes on: what changes silently, and what is forgotten."""

from __future__ import annotations

import itertools
from datetime import timedelta

from tap_analytics.sandbox import Store
from tap_analytics.sandbox.contracts import UPSTREAMS
from tap_analytics.sandbox.data import moments


def test_computed_fields_change_while_the_time_of_the_change_stands_still() -> None:
    store = Store(40, apis=UPSTREAMS)
    seen = [store.expected("gates")]
    for _ in range(3):
        store.advance(1)
        seen.append(store.expected("gates"))
    for before, after in itertools.pairwise(seen):
        changed = {
            name
            for old, new in zip(before, after, strict=True)
            for name in old
            if old[name] != new[name]
        }
        assert changed == {"checksPerHour", "typeReason"}
    assert store.now == moments.END + timedelta(days=3)


def test_values_are_restated_for_three_days() -> None:
    store = Store(300, apis=UPSTREAMS)
    history = []
    for _ in range(6):
        values: dict[str, list[float]] = {}
        for row in store.expected("metrics_values"):
            values.setdefault(row["date"], []).append(row["value"])
        history.append(values)
        store.advance(1)
    turns = {
        day: sum(before[day] != after[day] for before, after in itertools.pairwise(history))
        for day in history[0]
    }
    assert list(turns.values())[:5] == [3, 2, 1, 0, 0]


def test_documented_rows_stay_as_they_are() -> None:
    store = Store(40)
    before = {stream: store.expected(stream) for stream in ("gates", "metrics_values", "tasks")}
    store.advance(14)
    assert {stream: store.expected(stream) for stream in before} == before
