"""Lists below other rows: what gone, refused and failed ones mean for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from tap_analytics.sandbox import Answer
from tests.helpers.comparing import assert_equal, assert_union, ids
from tests.helpers.support import run_tap, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request, Sandbox

    OpenSandbox = Callable[..., Sandbox]

GONE = Answer(404, body=b'{"message": "there is no such gate"}')
PROXY = Answer(404, body=b"<html>not here</html>")
REFUSED = Answer(403, body=b'{"message": "not for you"}')
BROKEN = Answer(500, body=b"{}")


def gates(sandbox: Sandbox) -> list[str]:
    """Return the gates as they are read: by their last change."""
    rows = sandbox.store.rows("experimentation", "gates")
    return [row["id"] for row in sorted(rows, key=lambda row: row["lastModifiedTime"])]


def for_gates(answer: Answer, wanted: Callable[[str], bool], page: str | None = None) -> Any:
    """Return a fault of the rules of some gates, of one page of them if one is given."""

    def fault(request: Request) -> Answer | None:
        if request.stream != "gates_rules":
            return None
        gate = unquote(request.path.split("/")[3])
        is_page = page is None or request.params.get("page", "1") == page
        return answer if wanted(gate) and is_page else None

    return fault


def read(sandbox: Sandbox, state: Any = None, **more: Any) -> Any:
    config = settings(sandbox, "experimentation", max_retries=0, **more)
    return run_tap(config, "gates", "gates_rules", state=state)


@pytest.mark.parametrize("status", [404, 410])
def test_a_gone_parent_is_skipped_and_the_bookmark_passes_it(
    open_sandbox: OpenSandbox, status: int
) -> None:
    sandbox = open_sandbox(records=12)
    order = gates(sandbox)
    gone = Answer(status, body=b"")
    sandbox.faults.append(for_gates(gone, lambda gate: gate in (order[0], order[5])))
    result = read(sandbox, emit_activate_version_messages=True)
    assert result.status == 0, result.stderr[-2000:]
    assert result.report["gates_rules"]["skipped"] == 2
    assert_equal(result, sandbox.store, "gates")
    latest = max(row["lastModifiedTime"] for row in result.records["gates"])
    assert result.bookmark("gates") == latest


@pytest.mark.parametrize("answer", [GONE, PROXY], ids=["api", "proxy"])
def test_when_all_are_gone_none_is(open_sandbox: OpenSandbox, answer: Answer) -> None:
    sandbox = open_sandbox(records=12)
    sandbox.faults.append(for_gates(answer, lambda _: True))
    result = read(sandbox, emit_activate_version_messages=True)
    assert result.status == 1
    assert result.outcome("gates") == "complete"
    assert result.outcome("gates_rules") == "failed"
    assert not result.of("ACTIVATE_VERSION")
    sandbox.faults.clear()
    healed = read(sandbox, state=result.state)
    assert healed.status == 0
    assert_equal(healed, sandbox.store, "gates_rules")


def test_a_later_page_that_is_not_there_is_a_failure(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=12)
    gate = gates(sandbox)[3]
    rule = next(iter(sandbox.store.rows("experimentation", "gates_rules")))
    for number in range(9):
        sandbox.store.append("gates_rules", {**rule, "id": f"more {number}"}, parent=gate)
    sandbox.faults.append(for_gates(GONE, lambda one: one == gate, page="2"))
    result = read(sandbox, experimentation_page_size=4)
    assert result.status == 1
    assert result.outcome("gates_rules") == "failed"
    sandbox.faults.clear()
    healed = read(sandbox, state=result.state, experimentation_page_size=4)
    assert healed.status == 0
    assert_union(sandbox, [result, healed], "gates_rules")


@pytest.mark.parametrize("answer", [REFUSED, BROKEN], ids=["refused", "broken"])
def test_one_bad_child_leaves_its_siblings(open_sandbox: OpenSandbox, answer: Answer) -> None:
    sandbox = open_sandbox(records=30)
    order = gates(sandbox)
    sandbox.faults.append(for_gates(answer, lambda gate: gate == order[10]))
    result = read(sandbox)
    assert result.status == 1
    asked = {unquote(r.path.split("/")[3]) for r in sandbox.requests if r.stream == "gates_rules"}
    assert asked == set(order)
    by_id = {row["id"]: row["lastModifiedTime"] for row in result.records["gates"]}
    assert result.bookmark("gates") == by_id[order[10]]
    sandbox.faults.clear()
    healed = read(sandbox, state=result.state)
    assert healed.status == 0
    assert_union(sandbox, [result, healed], "gates_rules")


def test_ten_refusals_in_a_row_end_the_stream(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=60)
    sandbox.faults.append(for_gates(REFUSED, lambda _: True))
    result = read(sandbox, max_concurrency=1)
    assert result.outcome("gates_rules") == "denied"
    assert sum(request.stream == "gates_rules" for request in sandbox.requests) < 20
    assert_equal(result, sandbox.store, "gates")


def test_a_refused_row_is_read_again_when_it_is_healed(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=12)
    gate = gates(sandbox)[4]
    rule = dict(next(iter(sandbox.store.rows("experimentation", "gates_rules"))))
    index = sandbox.store.append("gates_rules", {**rule, "id": None}, parent=gate)
    result = read(sandbox)
    assert result.status == 1
    assert "1 rows without a key" in result.report["gates_rules"]["reason"]
    sandbox.store.update("gates_rules", index, {"id": "healed"}, parent=gate)
    healed = read(sandbox, state=result.state)
    assert healed.status == 0
    assert "healed" in ids(healed.records["gates_rules"])
    assert_union(sandbox, [result, healed], "gates_rules")
