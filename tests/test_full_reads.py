"""What an incremental stream cannot see: read in full now and then, so that targets forget."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer
from tests.helpers.changing import touch
from tests.helpers.support import run_tap, settings
from tests.helpers.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request, Sandbox
    from tests.helpers.support import Record

    OpenSandbox = Callable[..., Sandbox]

STREAMS = ("gates", "gates_rules", "layers")
MORE = {"emit_activate_version_messages": True, "full_read_every_days": 7}


def age(state: Record | None, days: float) -> Record | None:
    """Return a state as it would be so many days later."""
    for entry in (state or {}).get("bookmarks", {}).values():
        if "full_read" in entry:
            then = datetime.fromisoformat(entry["full_read"].replace("Z", "+00:00"))
            entry["full_read"] = (then - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    return state


def read(sandbox: Sandbox, warehouse: Warehouse, **more: Any) -> Any:
    config = settings(sandbox, "experimentation", max_retries=0, **MORE, **more)
    return run_tap(config, *STREAMS, state=warehouse.state)


def failing(stream: str) -> Callable[[Request], Answer | None]:
    return lambda request: Answer(500) if request.stream == stream else None


def test_silent_changes_and_deletions_reach_the_target_when_due(open_sandbox: OpenSandbox) -> None:
    sandbox, warehouse = open_sandbox(records=12), Warehouse()
    warehouse.take(read(sandbox, warehouse).lines)
    warehouse.assert_has(sandbox, *STREAMS)
    sandbox.store.update("layers", 0, {"description": "changed in silence"})
    sandbox.store.delete("layers", 5)
    sandbox.store.delete("gates", 3)
    age(warehouse.state, 3)
    early = read(sandbox, warehouse)
    warehouse.take(early.lines)
    assert not early.of("ACTIVATE_VERSION")
    assert len(warehouse.rows("layers")) == 12
    age(warehouse.state, 5)
    due = read(sandbox, warehouse)
    assert {line["stream"] for line in due.of("ACTIVATE_VERSION")} == set(STREAMS)
    before = warehouse.state
    warehouse.take(due.lines)
    warehouse.assert_has(sandbox, *STREAMS)
    assert before is not None
    for stream in ("gates", "layers"):
        assert due.bookmark(stream) == before["bookmarks"][stream]["replication_key_value"]
    again = read(sandbox, warehouse)
    assert not again.of("ACTIVATE_VERSION")
    versions = {line["version"] for line in due.of("ACTIVATE_VERSION")}
    assert {line["version"] for line in again.of("RECORD")} <= versions


@pytest.mark.parametrize("seed", range(2))
def test_a_fortnight_with_failures_and_kills(open_sandbox: OpenSandbox, seed: int) -> None:
    chance, warehouse = random.Random(seed), Warehouse()  # noqa: S311
    sandbox = open_sandbox(records=30)
    doomed = chance.sample(range(10, 30), 7)
    for index in doomed:
        age(warehouse.state, 2)
        touch(sandbox, "layers", chance.randrange(7), datetime.now(timezone.utc))
        sandbox.store.update("layers", chance.randrange(7), {"description": f"{chance.random()}"})
        if chance.random() < 0.5:
            sandbox.store.delete(chance.choice(["layers", "gates"]), index)
        sandbox.faults.clear()
        if chance.random() < 0.3:
            sandbox.faults.append(failing(chance.choice(STREAMS)))
        lines = read(sandbox, warehouse).lines
        if chance.random() < 0.4:
            lines = lines[: chance.randrange(len(lines))]
        warehouse.take(lines)
    sandbox.faults.clear()
    age(warehouse.state, 8)
    last = read(sandbox, warehouse)
    assert last.status == 0
    warehouse.take(last.lines)
    warehouse.assert_has(sandbox, *STREAMS)


def test_a_later_start_date_deletes_nothing_before_it(open_sandbox: OpenSandbox) -> None:
    sandbox, warehouse = open_sandbox(records=20), Warehouse()
    warehouse.take(read(sandbox, warehouse).lines)
    age(warehouse.state, 8)
    later = read(sandbox, warehouse, start_date="2025-03-01", max_lost_share=1)
    assert 0 < len(later.records["layers"]) < 20
    assert not later.of("ACTIVATE_VERSION")
    warehouse.take(later.lines)
    warehouse.assert_has(sandbox, "layers")
