"""Lists that lie or move while they are read; in each run all dialects at once."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.comparing import assert_equal
from tests.helpers.lists import APIS, DIALECTS, NUMBERED, SILENT, ServedList
from tests.helpers.support import run_tap, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_analytics.sandbox import Request
    from tests.helpers.support import Record, Result

    OpenSandbox = Callable[..., Sandbox]


def read_lists(
    open_sandbox: OpenSandbox,
    count: int = 10,
    *,
    streams: Iterable[str] = DIALECTS,
    shape: Callable[[ServedList], object] = lambda _: None,
    **more: Any,
) -> tuple[Result, list[ServedList]]:
    """Read lists of so many rows, 4 a page, after `shape` has had its way with each."""
    sandbox = open_sandbox(records=1)
    lists = [ServedList(stream, count) for stream in streams]
    for served in lists:
        shape(served)
    sandbox.faults += lists
    sizes = {f"{api}_page_size": 4 for api in set(APIS.values())}
    return run_tap(settings(sandbox, **sizes, **more), *streams), lists


def assert_exact(result: Result, lists: Iterable[ServedList]) -> None:
    """Make sure that all rows came."""
    for served in lists:
        assert result.outcome(served.stream) == "complete", result.report[served.stream]
        found = {json.dumps(row["id"]) for row in result.records[served.stream]}
        assert found == {json.dumps(one) for one in served.ids}, served.stream


def assert_failed(result: Result, lists: Iterable[ServedList]) -> None:
    """Make sure that the streams say they failed, and no bookmark does as if they had not."""
    assert result.status == 1
    for served in lists:
        assert result.outcome(served.stream) == "failed", served.stream
        assert served.stream not in result.state.get("bookmarks", {})


def replace_at(start: int, answer: Callable[[ServedList], Answer]) -> Callable[..., Answer | None]:
    """Return a hook that answers for the page at `start` in the list's place."""
    return lambda served, at: answer(served) if at == start else None


def once_at(start: int, change: Callable[[ServedList], object]) -> Callable[..., object]:
    """Return a hook that has `change` do something when the page at `start` is first asked for."""
    done: list[bool] = []

    def before(served: ServedList, at: int) -> object:
        if at != start or done:
            return None
        done.append(True)
        return change(served)

    return before


def empty(served: ServedList) -> Answer:
    """Return an empty page that otherwise tells the truth."""
    body = DIALECTS[served.stream]([], len(served.rows), 4, 4)
    return Answer(body=json.dumps(body).encode())


def new_row(served: ServedList) -> Record:
    """Return a row that no list starts with."""
    return {**served.rows[0], "id": 99 if served.stream in NUMBERED else "new"}


TALKING = sorted(set(DIALECTS) - SILENT)


def test_pages_that_are_ignored(open_sandbox: OpenSandbox) -> None:
    def ignore(served: ServedList) -> None:
        served.ignores_page = True

    result, lists = read_lists(open_sandbox, shape=ignore)
    assert_failed(result, lists)
    for served in lists:
        reason = result.report[served.stream]["reason"]
        assert "repeat" in reason or "changed" in reason
        assert len(served.asked) <= 3 + 3


def test_a_last_page_that_comes_for_ever(open_sandbox: OpenSandbox) -> None:
    """Where totals tell the end nobody asks beyond it; where nothing does, it is said."""

    def clamp(served: ServedList) -> None:
        served.clamps = True

    result, lists = read_lists(open_sandbox, shape=clamp)
    assert_failed(result, [served for served in lists if served.stream in SILENT])
    assert_exact(result, [served for served in lists if served.stream not in SILENT])
    assert all(len(served.asked) <= 4 + 3 for served in lists)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9, 10, 12])
def test_pages_smaller_than_asked_for(open_sandbox: OpenSandbox, count: int) -> None:
    def cap(served: ServedList) -> None:
        served.cap = 3

    result, lists = read_lists(open_sandbox, count, shape=cap)
    assert result.status == 0
    assert_exact(result, lists)
    assert all(len(served.asked) <= count // 3 + 1 + 3 for served in lists)


def test_a_page_that_is_empty_once(open_sandbox: OpenSandbox) -> None:
    """An empty page is the end where nothing else tells it; else it is asked for again."""

    def spoil(served: ServedList) -> None:
        served.before = once_at(4, empty)

    result, lists = read_lists(open_sandbox, streams=TALKING, shape=spoil)
    assert result.status == 0
    assert_exact(result, lists)


def test_a_page_that_stays_empty(open_sandbox: OpenSandbox) -> None:
    def spoil(served: ServedList) -> None:
        served.before = replace_at(4, empty)

    result, lists = read_lists(open_sandbox, streams=TALKING, shape=spoil)
    assert_failed(result, lists)
    assert all(len(served.asked) <= 2 * 3 + 3 for served in lists)


def half(status: int, **beside: Any) -> Callable[[ServedList], Answer]:
    """Return what answers with no rows, or a part of them, as if that were all."""

    def answer(served: ServedList) -> Answer:
        rows = served.rows[4:6] if status == 206 else []
        body = DIALECTS[served.stream](rows, len(rows), 0, 4)
        return Answer(status=status, body=json.dumps({**body, **beside}).encode())

    return answer


@pytest.mark.parametrize("at", [0, 4])
@pytest.mark.parametrize(
    "answer",
    [half(202), half(206), half(200, success=False), half(200, errors=["busy"])],
    ids=["accepted", "partial", "no success", "errors"],
)
def test_a_good_status_that_brings_no_good_page(
    open_sandbox: OpenSandbox, answer: Callable[[ServedList], Answer], at: int
) -> None:
    """What is not all of a page, or no page, is asked for again, and never the end of a list."""

    def once(served: ServedList) -> None:
        served.before = once_at(at, answer)

    result, lists = read_lists(open_sandbox, shape=once)
    assert result.status == 0, result.stderr[-2000:]
    assert_exact(result, lists)

    def always(served: ServedList) -> None:
        served.before = replace_at(at, answer)

    result, lists = read_lists(open_sandbox, shape=always, max_retries=1)
    assert_failed(result, lists)


@pytest.mark.parametrize("total", [9, 0])
def test_totals_that_are_wrong(open_sandbox: OpenSandbox, total: int) -> None:
    def lie(served: ServedList) -> None:
        served.total = total

    result, lists = read_lists(open_sandbox, streams=TALKING, shape=lie)
    assert_failed(result, lists)
    assert all(len(served.asked) <= 2 * 4 + 3 for served in lists)


def test_a_total_that_counts_rows_we_may_not_see(open_sandbox: OpenSandbox) -> None:
    """What is the same on two reads, with nothing behind it, is all there is to see."""

    def hide(served: ServedList) -> None:
        served.total = 13

    result, lists = read_lists(open_sandbox, streams=TALKING, shape=hide)
    assert result.status == 0
    assert_exact(result, lists)
    for served in lists:
        notes = result.report[served.stream]["notes"]
        assert "it announces 13 rows, but only 10 can be seen, twice alike" in notes


@pytest.mark.parametrize("count", [4, 8, 10])
def test_a_total_of_one_page(open_sandbox: OpenSandbox, count: int) -> None:
    """A total that equals the rows of one full page may count that page alone."""

    def count_pages(served: ServedList) -> None:
        served.tells = lambda rows: {"meta": {"total": len(rows)}}

    result, lists = read_lists(open_sandbox, count, streams=["tasks"], shape=count_pages)
    assert result.status == 0
    assert_exact(result, lists)


def test_rows_added_while_paging(open_sandbox: OpenSandbox) -> None:
    def move(served: ServedList) -> None:
        served.before = once_at(4, lambda served: served.rows.insert(0, new_row(served)))

    result, lists = read_lists(open_sandbox, shape=move, max_concurrency=1)
    assert result.status == 0
    assert_exact(result, lists)


def test_rows_added_at_the_end_while_paging(open_sandbox: OpenSandbox) -> None:
    def move(served: ServedList) -> None:
        served.before = once_at(4, lambda served: served.rows.append(new_row(served)))

    result, lists = read_lists(open_sandbox, shape=move, max_concurrency=1)
    assert result.status == 0
    assert_exact(result, lists)


def drop(served: ServedList, index: int) -> None:
    """Delete a row."""
    del served.rows[index]


def test_rows_deleted_while_paging(open_sandbox: OpenSandbox) -> None:
    def move(served: ServedList) -> None:
        served.before = once_at(4, lambda served: drop(served, 1))

    result, lists = read_lists(open_sandbox, streams=TALKING, shape=move, max_concurrency=1)
    assert result.status == 0
    assert_exact(result, lists)


def test_rows_that_go_on_every_read(open_sandbox: OpenSandbox) -> None:
    """A list that never holds still is not claimed to be complete."""

    def move(served: ServedList) -> None:
        served.before = lambda served, at: drop(served, 0) if at == 4 else None

    result, lists = read_lists(open_sandbox, streams=TALKING, shape=move, max_concurrency=1)
    assert_failed(result, lists)


def pair(served: ServedList) -> None:
    """Give two rows on two pages the same key."""
    served.rows[7] = {**served.rows[7], "id": served.rows[2]["id"]}


def test_twins_on_two_pages_that_never_move(open_sandbox: OpenSandbox) -> None:
    """Without a total the same key twice, on every read alike, is how the list is."""
    result, lists = read_lists(open_sandbox, streams=SILENT, shape=pair)
    assert result.status == 0
    assert_exact(result, lists)


def test_twins_in_the_place_of_a_row_that_a_total_counts(open_sandbox: OpenSandbox) -> None:
    result, lists = read_lists(open_sandbox, streams=TALKING, shape=pair)
    assert_failed(result, lists)
    for served in lists:
        assert "came twice" in result.report[served.stream]["reason"]


def test_children_that_move(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=4)
    gates = [row["id"] for row in sandbox.store.rows("experimentation", "gates")]
    rule = next(sandbox.store.rows("experimentation", "gates_rules"))
    for number in range(8):
        sandbox.store.append("gates_rules", {**rule, "id": f"more {number}"}, parent=gates[2])
    done: list[bool] = []

    def delete(request: Request) -> None:
        third = request.path == f"/v1/gates/{gates[2]}/rules"
        if third and request.params["page"] == "2" and not done:
            done.append(True)
            sandbox.store.delete("gates_rules", 0, parent=gates[2])

    sandbox.faults.append(delete)
    config = settings(sandbox, "experimentation", experimentation_page_size=3)
    result = run_tap(config, "gates", "gates_rules")
    assert done
    assert result.status == 0
    assert_equal(result, sandbox.store, "gates", "gates_rules")


def refused_once(served: ServedList, refusal: Answer) -> None:
    """Refuse the second page until the third is read, and put a row into it meanwhile."""
    refused: list[bool] = []

    def before(served: ServedList, at: int) -> Answer | None:
        if at != 4 or len(refused) > 1:
            return None
        refused.append(True)
        if len(refused) == 1:
            return replace(refusal, delay=0.3)
        served.rows.insert(5, new_row(served))
        return None

    served.before = before


@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize(
    "refusal",
    [
        Answer(status=503, body=b""),
        Answer(status=429, body=b"", headers={"Retry-After": "0.1"}),
        Answer(status=200, body=b'{"data": [{"id": 1'),
        Answer(reset=True),
    ],
    ids=["503", "429", "broken", "reset"],
)
def test_a_row_added_to_a_page_that_comes_late(
    open_sandbox: OpenSandbox, refusal: Answer, threads: int
) -> None:
    """What one who reads page after page would see is seen however many pages come at once.

    The last page has room for the row that moves on to it, so that nothing comes twice.
    """
    result, lists = read_lists(
        open_sandbox, 11, shape=lambda one: refused_once(one, refusal), max_concurrency=threads
    )
    assert result.status == 0, result.stderr[-2000:]
    assert_exact(result, lists)
    if threads > 1:
        early = [
            one for one in lists if 8 in one.asked[: len(one.asked) - one.asked[::-1].index(4)]
        ]
        assert {one.stream for one in early} >= SILENT, "page 3 came before page 2"


@pytest.mark.slow
def test_a_row_deleted_while_a_list_that_was_begun_waits_for_its_turn(
    open_sandbox: OpenSandbox,
) -> None:
    """Its pages are of one time, however long the list in front of it takes."""
    first, later = ServedList("audit_logs", 32), ServedList("tags", 60)
    waited: list[float] = []

    def slowly(request: Request) -> Answer | None:
        answer = first(request)
        return answer and replace(answer, delay=1.3)

    def delete(_: ServedList, at: int) -> None:
        if at == 28 and not waited:
            asked = [request.time for request in sandbox.requests if request.stream == "tags"]
            waited.append(time.time() - asked[-1])
            drop(later, 0)

    first.before = delete
    sandbox = open_sandbox(records=1)
    sandbox.faults += [slowly, later]
    config = settings(sandbox, experimentation_page_size=4, max_concurrency=2)
    result = run_tap(config, "audit_logs", "tags")
    assert waited[0] > 3, "the list in front took long, and some of the other was read before"
    assert result.status == 0
    assert_exact(result, [first, later])
