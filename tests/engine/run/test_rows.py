"""From the records of a page to rows that may leave."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_analytics.engine.http.answers import decode
from tap_analytics.engine.output.report import Tally
from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.run.ledger import KeyLedger
from tap_analytics.engine.run.rows import Batch, Census, RowMaker
from tap_analytics.engine.run.spool import Row
from tap_analytics.engine.values.cursors import FIRST, Window
from tap_analytics.engine.values.typed import TypedRecord
from tap_analytics.tap import TapAnalytics
from tests.engine.doubles import SILENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.engine.stream import AnalyticsStream

READ_AT = "2026-01-01T00:00:00Z"
KEY = "lastModifiedTime"
ALL = Window()
MILLISECOND = 1000


class Maker:
    """A row maker, with the ledger and tally it is used with."""

    def __init__(self, stream: str = "autotunes", **more: Any) -> None:
        config = {
            "experimentation_api_key": "a-key",
            "experimentation_base_url": "http://127.0.0.1:9",
        }
        self.stream = cast("AnalyticsStream", TapAnalytics(config=config).streams[stream])
        self.tally = Tally(stream, "experimentation")
        self.ledger = KeyLedger()
        self.rows = RowMaker(self.stream, self.tally, **more)

    def batch(
        self,
        *records: dict[str, Any],
        window: Window = ALL,
        census: Census | None = None,
        context: dict[str, Any] | None = None,
    ) -> Batch:
        page = Page(list(records), SILENT, 0, 10, READ_AT)
        return self.rows.batch(page, context, window, self.ledger, census)

    def whole(self, *records: dict[str, Any]) -> list[Row]:
        return [Row._make(row) for row in self.rows.rows(self.batch(*records))]


def at(name: Any, moment: Any) -> dict[str, Any]:
    return {"id": name, KEY: moment}


def test_a_batch_is_columns_of_the_same_length() -> None:
    maker = Maker()
    batch = maker.batch(at("b", 2), at("a", 1))
    assert [record["id"] for record in batch.records] == ["b", "a"]
    assert batch.orders == [2 * MILLISECOND, MILLISECOND]
    assert (batch.keys, list(batch.places)) == ([("b",), ("a",)], [0, 1])
    assert (batch.contexts, batch.read_at) == ([None, None], READ_AT)
    assert list(maker.batch(at("c", 3)).places) == [2], "places go on from page to page"


def test_both_ends_of_a_window_are_wanted_and_what_has_no_time() -> None:
    maker = Maker()
    rows = [at(moment, moment) for moment in (1, 2, 3, 4, 5)]
    window = Window(2 * MILLISECOND, 4 * MILLISECOND)
    batch = maker.batch(*rows, {"id": "x"}, window=window)
    assert [key[0] for key in batch.keys] == ["2", "3", "4", "x"]
    assert list(batch.places) == [1, 2, 3, 5]
    assert batch.orders[-1] == FIRST
    assert maker.tally.notes == []


def test_what_is_outside_the_window_is_not_conformed() -> None:
    maker = Maker()
    maker.batch({**at("a", 1), "new_here": 1}, window=Window(2 * MILLISECOND))
    assert not maker.stream.conformer.unknown
    maker.batch({**at("a", 2), "new_here": 1}, window=Window(2 * MILLISECOND))
    assert maker.stream.conformer.unknown["new_here"] == 1


@pytest.mark.parametrize("value", ["soon", [], 10**16, -(10**16)])
def test_what_is_no_time_counts_as_none_and_is_said(value: Any) -> None:
    maker = Maker()
    batch = maker.batch(at("a", value), window=Window(5 * MILLISECOND))
    assert list(batch.orders) == [FIRST]
    assert maker.tally.notes == [f"{KEY} has values that are no replication key"]


def test_rows_without_a_key_are_refused_and_the_oldest_is_kept_in_mind() -> None:
    maker = Maker()
    assert (maker.rows.refused, maker.rows.refused_order) == (0, -FIRST)
    batch = maker.batch(at("a", 1), at(None, 7), at("b", 8), at(None, 9))
    assert (batch.keys, list(batch.places)) == ([("a",), ("b",)], [0, 2])
    assert (maker.rows.refused, maker.rows.refused_order) == (2, 7 * MILLISECOND)
    maker.batch(at(None, 3), at("c", 1))
    maker.batch(at(None, 5))
    assert (maker.rows.refused, maker.rows.refused_order) == (4, 3 * MILLISECOND)
    assert maker.ledger.repeats() == 0


def test_every_key_is_in_the_ledger_wanted_or_not() -> None:
    maker = Maker()
    maker.batch(at("a", 1), at("b", 9), window=Window(5 * MILLISECOND))
    maker.batch(at("a", 1), window=Window(5 * MILLISECOND))
    assert maker.ledger.repeats() == 1


def test_rows_that_come_twice_are_kept_unless_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(Maker().batch(at("a", 1), at("a", 1)).keys) == 2
    kind = type(Maker().stream)
    monkeypatch.setattr(kind, "may_repeat", property(lambda _: True))
    maker = Maker()
    rows = at("a", 1), at("b", 1), at("a", 2), at("c", 1)
    assert maker.batch(*rows).keys == [("a",), ("b",), ("c",)]
    assert maker.batch(at("b", 1), at("d", 1)).keys == [("d",)]


def test_what_a_list_was_asked_with_fits_however_its_pages_are_decoded() -> None:
    maker = Maker("events_metrics")
    body = b'{"data": [{"id": "a"}]}'
    typed = maker.stream.typed_pages
    assert typed is not None
    typed.learn(decode(body))
    ways: list[Callable[[bytes], Any]] = [decode, typed.decode]
    for way in ways:
        records = way(body)["data"]
        assert isinstance(records[0], TypedRecord) is (way is not decode)
        batch = maker.batch(*records, context={"event_name": 7})
        assert (batch.records[0]["event_name"], batch.keys) == ("7", [("7", "a")])


@pytest.mark.parametrize("hook", ["merge", "unwrap", "post_process", "parse_response"])
def test_a_hook_that_changes_records_gets_them_as_they_came(
    hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Maker("events_metrics").stream
    assert stream.typed_pages is not None
    monkeypatch.setattr(type(stream), hook, lambda _, given, *more: (given, more))
    assert Maker("events_metrics").stream.typed_pages is None


def test_rows_carry_what_they_leave_as() -> None:
    maker = Maker(version=7)
    first, second = maker.whole(at("a", 1), {"id": "b"})
    said = json.loads(first.lines)
    assert first.lines.endswith(b"\n")
    assert list(said) == ["type", "stream", "record", "version", "time_extracted"]
    assert (said["type"], said["stream"], said["version"]) == ("RECORD", "autotunes", 7)
    assert (said["record"]["id"], said["time_extracted"]) == ("a", READ_AT)
    assert (first.order, first.key, first.number) == (MILLISECOND, ("a",), 0)
    assert (first.value, second.value) == (1, None)
    assert json.loads(second.lines)["record"]["id"] == "b"
    (row,) = Maker().whole(at("a", 1))
    assert "version" not in json.loads(row.lines)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_lines_come_in_pieces_that_say_how_many_they_are(count: int) -> None:
    maker = Maker("tags")
    batch = maker.batch(*[{"id": str(number)} for number in range(count)])
    pieces = list(maker.rows.lines(batch))
    assert [number for _, number in pieces] == [
        min(100, count - start) for start in range(0, count, 100)
    ]
    lines = b"".join(piece for piece, _ in pieces).splitlines(keepends=True)
    assert [json.loads(line)["record"]["id"] for line in lines] == [
        str(number) for number in range(count)
    ]
    assert [line for _, _, _, line, *_ in maker.rows.rows(batch)] == lines


def test_rows_that_are_not_wanted_only_lead_to_those_below() -> None:
    maker = Maker("dynamic_configs", is_wanted=False)
    rows = maker.whole(at("a", 1), at("b", 2))
    assert [row.lines for row in rows] == [b"", b""]
    contexts = [row.context or {} for row in rows]
    assert [context["dynamic_config_id"] for context in contexts] == ["a", "b"]
    batch = maker.batch(at("a", 1), at("b", 2))
    assert list(maker.rows.lines(batch)) == [(b"", 0)] * 2


def test_rows_carry_their_account_and_what_they_were_asked_with() -> None:
    maker = Maker("dynamic_configs_rules", context={"account": "x", "id": "never"})
    batch = maker.batch({"id": "r"}, context={"dynamic_config_id": "a", "id": "s"})
    (record,) = batch.records
    assert (record["dynamic_config_id"], record["id"]) == ("a", "s")
    assert batch.keys == [("a", "s")]


# The census


def counted(*parents: str, unread: str = "") -> str | None:
    census = Census()
    for parent in parents:
        census.add({"id": parent}, is_read=parent != unread)
    return census.result()


def test_a_census_tells_whether_parents_are_the_same() -> None:
    assert counted("a", "b") == counted("b", "a") == counted("b", "a", "b")
    assert len({counted(), counted("a"), counted("a", "b"), counted("a", "c")}) == 4
    assert len(counted("a") or "") == 32


def test_a_census_of_parents_that_are_not_read_says_nothing() -> None:
    assert counted("a", "b", unread="a") is None
    assert counted("a", "b", unread="b") is None
    census = Census()
    census.add({"id": "a"}, is_read=False)
    census.clear()
    assert census.result() == counted()
    census.add({"id": "b"}, is_read=True)
    assert census.result() == counted("b")


def test_parents_are_counted_wanted_or_not_up_to_the_end_of_the_window() -> None:
    def census_of(window: Window, *rows: dict[str, Any]) -> str | None:
        census = Census()
        Maker("dynamic_configs").batch(*rows, window=window, census=census)
        return census.result()

    rows = at("a", 1), at("b", 9)
    whole = census_of(ALL, *rows)
    assert whole is not None
    assert whole == census_of(Window(5 * MILLISECOND), *rows)
    assert whole == census_of(Window(FIRST, 9 * MILLISECOND), *rows)
    assert census_of(Window(FIRST, 9 * MILLISECOND - 1), *rows) is None
    assert whole == census_of(ALL, *rows, at(None, 3)), "what has no identity has no children"
    assert whole == census_of(ALL, at("a", 4), at("b", 5)), "a change is no other parent"
    assert whole != census_of(ALL, *rows, at("c", 3))


def test_places_go_on_over_all_pages() -> None:
    maker = Maker()
    pages = [[at("a", 1), at("b", 2)], [at("c", 3)], [at("d", 4), at("e", 5)]]
    assert [list(maker.batch(*rows).places) for rows in pages] == [[0, 1], [2], [3, 4]]


def test_children_are_asked_with_what_their_parents_list_was_asked_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maker = Maker("dynamic_configs")
    kind = type(maker.stream)
    monkeypatch.setattr(kind, "get_child_context", lambda _, row, above: {**above, "id": row["id"]})
    batch = maker.batch(at("a", 1), context={"of": "z"})
    assert batch.contexts == [{"of": "z", "id": "a"}]


def test_records_that_are_mapped_say_when_they_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def mapped(*of: Any) -> bytes:
        asked.append(of)
        return b"{}\n"

    maker = Maker(version=7)
    monkeypatch.setattr(maker.rows, "_slow", mapped)
    assert list(maker.rows.lines(maker.batch(at("a", 1)))) == [(b"{}\n", 1)]
    ((record, version, read_at),) = asked
    assert (record["id"], version, read_at) == ("a", 7, READ_AT)
