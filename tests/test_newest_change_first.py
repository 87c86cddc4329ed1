"""A list sorted by its newest change is read as far as is wanted, and no order is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.helpers.support import Result, run_tap, settings
from tests.helpers.vendors import vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Sandbox

    OpenSandbox = Callable[..., Sandbox]

STREAM = "esignature_organization_documents"
ROWS = 200
PAGES = 7
"""So many pages of 30 rows has the list, and an empty one tells its end."""
SIZES = {"esignature_organizations": 1, STREAM: ROWS}
NEWEST = 1793491200  # after all that the sandbox has, and before the end of its time


def open_search(open_sandbox: OpenSandbox, *variants: str) -> Sandbox:
    chosen = [f"signnow.{STREAM}={name}" for name in variants]
    return open_sandbox(records=1, sizes=SIZES, upstreams=True, variants=chosen)


def read(sandbox: Sandbox, state: Any = None, **more: Any) -> tuple[Result, int]:
    """Return what was written, and how many pages of the list were asked for."""
    sandbox.requests.clear()
    config = settings(sandbox, "esignature", all_streams=True, **more)
    result = run_tap(config, catalog_=vendor_catalog(sandbox, STREAM), state=state)
    assert result.status == 0, result.stderr[-2000:]
    return result, sum(request.stream == STREAM for request in sandbox.requests)


def change(sandbox: Sandbox, index: int, when: int) -> str:
    organization = next(sandbox.store.rows("esignature", "esignature_organizations"))["id"]
    sandbox.store.update(STREAM, index, {"updated": when}, organization)
    return str(list(sandbox.store.rows("esignature", STREAM))[index]["id"])


def test_the_second_run_reads_what_changed_and_no_more(open_sandbox: OpenSandbox) -> None:
    sandbox = open_search(open_sandbox)
    first, whole = read(sandbox)
    assert (len(first.records[STREAM]), whole > PAGES) == (ROWS, True)
    assert first.state["bookmarks"][STREAM]["in_order"] is True
    changed = {change(sandbox, index, NEWEST + index) for index in (3, 50, 199)}
    second, pages = read(sandbox, first.state)
    assert changed <= {row["id"] for row in second.records[STREAM]}
    assert len(second.records[STREAM]) < 30
    assert pages <= whole // 2, "one page is behind what is wanted, and two were asked for ahead"
    assert second.report[STREAM]["notes"] == []


def test_a_full_read_reads_to_the_end(open_sandbox: OpenSandbox) -> None:
    sandbox = open_search(open_sandbox)
    first, whole = read(sandbox)
    again, pages = read(sandbox, first.state, full_read_every_days=0.000001)
    assert (len(again.records[STREAM]), pages) == (ROWS, whole)


def test_a_list_in_another_order_is_read_to_its_end_every_time(open_sandbox: OpenSandbox) -> None:
    sandbox = open_search(open_sandbox, "unsorted")
    first, whole = read(sandbox)
    assert "in_order" not in first.state["bookmarks"][STREAM]
    changed = {change(sandbox, index, NEWEST + index) for index in (3, 50, 199)}
    second, pages = read(sandbox, first.state)
    assert changed <= {row["id"] for row in second.records[STREAM]}
    assert pages == whole


def test_an_order_that_is_lost_is_not_relied_on_any_more(open_sandbox: OpenSandbox) -> None:
    sorted_, unsorted = open_search(open_sandbox), open_search(open_sandbox, "unsorted")
    first, whole = read(sorted_)
    changed = change(unsorted, 199, NEWEST)
    second, pages = read(unsorted, first.state)
    assert changed in {row["id"] for row in second.records[STREAM]}
    assert pages == whole
    assert "in_order" not in second.state["bookmarks"][STREAM]
    (note,) = second.report[STREAM]["notes"]
    assert "order of its changes" in note
