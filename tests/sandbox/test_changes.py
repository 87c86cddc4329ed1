"""What a test changes in the store shows in the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Store
from tap_analytics.sandbox.http.bodies import Bodies

if TYPE_CHECKING:
    from collections.abc import Callable

    from .client import Client


def test_update(open_client: Callable[..., Client]) -> None:
    """Only the named fields change, also in pages that were asked for before."""
    client = open_client(records=5)
    before = client.walk("tasks")
    client.sandbox.store.update("tasks", 3, {"name": "new", "extra": "\x00"})
    after = client.walk("tasks")
    assert after[3] == {**before[3], "name": "new", "extra": "\x00"}
    assert after[:3] + after[4:] == before[:3] + before[4:]
    client.sandbox.store.update("tasks", 3, {"status": None})
    assert client.walk("tasks")[3]["name"] == "new"


def test_delete(open_client: Callable[..., Client]) -> None:
    """Later rows move up in the pages, their indexes stay."""
    client = open_client(records=6)
    store, before = client.sandbox.store, client.walk("tasks")
    for index in (4, 0, 1):
        store.delete("tasks", index)
    assert client.walk("tasks", 2) == [before[2], before[3], before[5]]
    assert client.get("tasks").json()["meta"]["total"] == 3
    store.update("tasks", 5, {"name": "last"})
    assert client.walk("tasks")[-1]["name"] == "last"
    for index in (0, 4, 6, -1):
        with pytest.raises(IndexError):
            store.delete("tasks", index)
        with pytest.raises(IndexError):
            store.update("tasks", index, {})


def test_append(open_client: Callable[..., Client]) -> None:
    """A new row comes last and can be changed and deleted like any other."""
    client = open_client(records=2)
    store = client.sandbox.store
    index = store.append("tasks", {"id": 1, "updated_at": "2026-10-01T00:00:00Z"})
    assert index == 2
    assert client.walk("tasks")[2]["id"] == 1
    assert list(store.rows("workforce", "tasks")) == client.walk("tasks")
    store.update("tasks", index, {"id": 9})
    assert client.walk("tasks", 1)[2]["id"] == 9
    store.delete("tasks", index)
    assert len(client.walk("tasks")) == 2


def test_deleted_parents(open_client: Callable[..., Client]) -> None:
    """What lies below them is not found any more."""
    client = open_client(records=20)
    store = client.sandbox.store
    gate = next(store.rows("experimentation", "gates"))["id"]
    assert client.get("gates_rules", gate).status_code == 200
    store.delete("gates", 0)
    assert client.get("gates_rules", gate).status_code == 404
    assert gate not in {row["gate_id"] for row in store.expected("gates_rules")}


def test_new_parents(open_client: Callable[..., Client]) -> None:
    """They have nothing below them until it is appended, and are named by their id."""
    client = open_client(records=3)
    store = client.sandbox.store
    store.append("gates", {"id": "a/b ?", "lastModifiedTime": 1})
    assert client.page("gates_rules", "a/b ?") == []
    assert store.append("gates_rules", {"id": "r"}, parent="a/b ?") == 0
    assert client.page("gates_rules", "a/b ?") == [{"id": "r"}]
    assert store.expected("gates_rules")[-1] == {"gate_id": "a/b ?", "id": "r"}
    store.update("gates", 1, {"id": "renamed"})
    assert client.get("gates_rules", "renamed").status_code == 200
    assert client.get("gates_rules", "gate_1").status_code == 404
    store.append("segments", {"id": "s"})
    assert client.page("segments_ids", "s") == []
    with pytest.raises(KeyError):
        store.append("gates_rules", {"id": "r"}, parent="unknown")
    for stream in ("gates_rules", "metrics_values"):
        with pytest.raises(KeyError):
            store.append(stream, {"id": "r"})


def test_new_event_names(open_client: Callable[..., Client]) -> None:
    """A name is known once, however often it is logged, and stays known."""
    client = open_client(records=24)
    store = client.sandbox.store
    for _ in range(2):
        store.append("events", {"timestamp": "1", "name": "a b/c", "source": "", "value": ""})
    assert client.page("events_metrics", "a b/c") == []
    store.append("events_metrics", {"id": "m"}, parent="a b/c")
    assert [r for r in store.expected("events_metrics") if r["event_name"] == "a b/c"] == [
        {"event_name": "a b/c", "id": "m"}
    ]
    name = next(store.rows("experimentation", "events"))["name"]
    for index in range(24):
        store.delete("events", index)
    assert client.get("events_metrics", name).status_code == 200


def test_new_days(open_client: Callable[..., Client]) -> None:
    """Values of a day outside the generated ones are served and expected."""
    client = open_client(records=30)
    store = client.sandbox.store
    for day in ("2026-11-20", "2026-01-01"):
        store.append("metrics_values", {"metricName": "m"}, parent=day)
        assert client.page("metrics_values", day) == [{"metricName": "m"}]
        assert {"date": day, "metricName": "m"} in store.expected("metrics_values")
    assert len(store.expected("metrics_values")) == 32


def test_ingestion_status_sees_changes(open_client: Callable[..., Client]) -> None:
    """The filter looks at the rows as they are."""
    client = open_client(records=3)
    client.sandbox.store.update("ingestion_status", 1, {"timestamp": "2031-05-05T00:00:00.000Z"})
    page = client.page("ingestion_status", startDate="2031-05-05", endDate="2031-05-05")
    assert len(page) == 1


def test_rows_that_move_while_they_are_read(open_client: Callable[..., Client]) -> None:
    """A fault can change the data between two pages."""
    client = open_client(records=6)

    def delete_before_page_two(request: object) -> None:
        if getattr(request, "params", {}).get("page") == "2":
            client.sandbox.store.delete("tasks", 0)

    before = client.walk("tasks")
    client.sandbox.faults.append(delete_before_page_two)
    assert client.walk("tasks") == [*before[:2], *before[3:]]


def test_sizes_of_single_lists() -> None:
    """Some streams may have sizes of their own."""
    store = Store(5, {"gates": 1, "tasks": 0})
    sizes = {s: len(store.expected(s)) for s in ("gates", "tasks", "schedules")}
    assert sizes == {"gates": 1, "tasks": 0, "schedules": 5}


def test_bodies_are_forgotten() -> None:
    """Old ones when there are too many bytes, all when the data changed."""
    bodies = Bodies(most=10)
    for key in "abc":
        assert bodies.get(1, key) is None
        bodies.put(key, b"1234")
    assert [bodies.get(1, key) for key in "abc"] == [None, b"1234", b"1234"]
    bodies.get(1, "b")
    bodies.put("d", b"1234")
    assert [bodies.get(1, key) for key in "bcd"] == [b"1234", None, b"1234"]
    assert bodies.get(2, "b") is None
    bodies.put("e", b"12345678901")
    assert bodies.get(2, "e") is None
