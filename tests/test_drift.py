"""Fields that every row of a stream carried, and none does any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox import Answer
from tests.helpers.lists import ServedList
from tests.helpers.support import Result, catalog, entry_of, metadata_of, run_tap, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Sandbox

    OpenSandbox = Callable[..., Sandbox]

GONE = "fields that all rows carried before and none does now"
FULL, INCREMENTAL = "accounts", "tasks"
API = {FULL: "sales", INCREMENTAL: "workforce"}
COUNT = 120


def serve(sandbox: Sandbox, stream: str, **fields: Any) -> ServedList:
    """Serve a list whose rows have these fields besides those that each has."""
    served = ServedList(stream, COUNT)
    served.rows = [{**row, **fields} for row in served.rows]
    sandbox.faults.append(served)
    return served


def strip(served: ServedList, *names: str) -> None:
    for row in served.rows:
        for name in names:
            row.pop(name, None)


def gone(result: Result, stream: str) -> list[str]:
    assert result.status == 0, result.stderr[-2000:]
    said = [text for text in result.report[stream]["drift"] if text.startswith(GONE)]
    warned = [line for line in result.stderr.splitlines() if GONE in line]
    assert len(said) == len(warned) <= 1
    assert all("WARNING" in line for line in warned)
    return [name for text in said for name in text.partition(": ")[2].split(", ")]


def test_a_field_that_no_row_carries_any_more_is_said(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=1)
    config = settings(sandbox, API[FULL])
    served = serve(sandbox, FULL, name="a", phone=None, website="b")
    served.rows[COUNT // 2].pop("website")
    first = run_tap(config, FULL)
    strip(served, "name", "phone", "website")
    second = run_tap(config, FULL, state=first.state)
    assert gone(first, FULL) == []
    assert gone(second, FULL) == ["name", "phone"]
    assert gone(run_tap(config, FULL, state=second.state), FULL) == ["name", "phone"]
    served.rows[-1]["name"] = "c"
    fourth = run_tap(config, FULL, state=second.state)
    assert gone(fourth, FULL) == ["phone"]
    strip(served, "name")
    assert gone(run_tap(config, FULL, state=fourth.state), FULL) == ["phone"]


def test_a_column_that_is_not_wanted_is_not_missed(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=1)
    config = settings(sandbox, API[FULL])
    served = serve(sandbox, FULL, name="a", phone="b")
    first = run_tap(config, FULL)
    strip(served, "name", "phone")
    chosen = catalog(FULL)
    metadata_of(entry_of(chosen, FULL), "properties", "phone")["selected"] = False
    assert gone(run_tap(config, catalog_=chosen, state=first.state), FULL) == ["name"]


def test_only_a_read_of_all_rows_teaches(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=1)
    config = settings(sandbox, API[INCREMENTAL])
    served = serve(sandbox, INCREMENTAL, name="a")
    first = run_tap(config, INCREMENTAL)
    before = first.state["bookmarks"][INCREMENTAL]
    for row in served.rows:
        row["content"] = "new"
    second = run_tap(config, INCREMENTAL, state=first.state)
    assert second.state["bookmarks"][INCREMENTAL] == before
    strip(served, "name", "content")
    third = run_tap(config, INCREMENTAL, state=second.state)
    assert gone(third, INCREMENTAL) == ["name"]
    assert len(before["carried"]) < 40


def test_what_failed_or_was_empty_teaches_nothing(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=1)
    config = settings(sandbox, API[FULL], max_retries=0)
    served = serve(sandbox, FULL, name="a")
    first = run_tap(config, FULL)
    rows, served.rows = served.rows, []
    empty = run_tap(config, FULL, state=first.state)
    assert gone(empty, FULL) == []
    served.rows = rows
    strip(served, "name")
    served.before = lambda _, start: Answer(500) if start else None
    failed = run_tap(config, FULL, state=empty.state)
    assert failed.status == 1
    assert GONE not in failed.stderr
    assert failed.state == empty.state == first.state
    served.before = lambda *_: None
    assert gone(run_tap(config, FULL, state=failed.state), FULL) == ["name"]


def test_of_several_accounts_all_have_to_lack_it(open_sandbox: OpenSandbox) -> None:
    acme, beta = open_sandbox(records=1), open_sandbox(records=1)
    lists = [serve(one, FULL, name="a") for one in (acme, beta)]
    parts = zip(("acme", "beta"), (acme, beta), strict=True)
    config = {"accounts": [{"name": name, **settings(one, "sales")} for name, one in parts]}
    for account in config["accounts"]:
        for name in ("start_date", "backoff_factor"):
            account.pop(name, None)
    chosen = catalog(FULL, config=config)
    first = run_tap(config, catalog_=chosen)
    strip(lists[0], "name")
    second = run_tap(config, catalog_=chosen, state=first.state)
    assert gone(second, FULL) == []
    assert second.state["bookmarks"][FULL].keys() == {"carried"}
    lists[1].rows = lists[1].rows[:1]
    third = run_tap(config, catalog_=chosen, state=first.state)
    assert gone(third, FULL) == []
    strip(lists[1], "name")
    result = run_tap(config, catalog_=chosen, state=first.state)
    assert f"accounts of acme: {GONE}: name" in result.stderr
    assert result.stderr.count(GONE) == 1
