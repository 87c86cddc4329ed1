"""Lists that change while they are read: read again, or said to have failed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.errors import Denied, Gone, ListChanged, ReadError
from tap_analytics.engine.output.report import Report
from tap_analytics.engine.run import listing as listings
from tap_analytics.engine.run.access import Access
from tap_analytics.engine.run.listing import Listing
from tap_analytics.engine.run.outlet import Outlet
from tap_analytics.engine.run.reading import Reading
from tap_analytics.engine.run.spool import Spool
from tap_analytics.engine.values.cursors import Window
from tap_analytics.tap import TapAnalytics
from tests.engine.doubles import Reply, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.stream import AnalyticsStream

STREAM = "public_credentials"


def said(ids: str, total: int) -> Reply:
    """Return a page of a list that has so many rows."""
    body = {"data": [{"id": name} for name in ids], "meta": {"total": total}}
    return Reply(body=json.dumps(body).encode())


@contextmanager
def opened(*replies: Reply, stream: str = STREAM) -> Iterator[tuple[Listing, Server]]:
    with Server(*replies).running() as server:
        config = {
            "workforce_api_key": "a-key",
            "workforce_base_url": server.url,
            "max_concurrency": 1,
            "max_retries": 0,
        }
        tap = TapAnalytics(config=config)
        found = cast("AnalyticsStream", tap.streams[stream])
        (account,) = accounts(tap.config)
        outlet = Outlet(tap.message_writer, {}, backfill=False)
        listing = Listing(Reading(found, Access(account), outlet, Report()))
        try:
            yield listing, server
        finally:
            listing._lane.close()


def ids(rows: Any) -> str:
    return "".join(row.key[0] for row in rows)


def tokens(server: Server) -> list[str]:
    return [request.path.split("page=")[1][0] for request in server.asked]


def test_a_list_that_stays_is_read_once() -> None:
    with opened(said("ab", 3), said("c", 3)) as (listing, server):
        assert ids(listing.rows(Window())) == "abc"
        assert tokens(server) == ["1", "2"]
        assert listing.reading.tally.notes == []


def test_a_list_that_shrinks_is_read_again() -> None:
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 3)
    with opened(*replies) as (listing, server):
        assert ids(listing.rows(Window())) == "abd"
        assert tokens(server) == ["1", "2", "1", "2"]
        assert listing.reading.tally.notes == [
            "read again: the list changed while it was read (3 rows read, 3 announced, 4 before)"
        ]


def test_a_list_that_shrinks_again_fails() -> None:
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 2)
    with opened(*replies) as (listing, _):
        rows = listing.rows(Window())
        assert [next(rows).key for _ in "ab"] == [("a",), ("b",)]
        with pytest.raises(ListChanged, match="3 rows read, 2 announced, 3 before"):
            next(rows)


def test_keys_on_two_pages_are_a_change() -> None:
    replies = said("ab", 4), said("bc", 4), said("xa", 4), said("bc", 4)
    with opened(*replies) as (listing, server):
        assert ids(listing.rows(Window())) == "xabc"
        assert tokens(server) == ["1", "2", "1", "2"]
        (note,) = listing.reading.tally.notes
        assert note.startswith("read again: /v1/api_public/credentials: 1 rows came twice")


@pytest.mark.parametrize("again", ["bc", "ad"])
def test_a_row_that_comes_twice_stands_for_one_that_did_not_come(again: str) -> None:
    replies = said("ab", 4), said("bc", 4), said("ab", 4), said(again, 4)
    with (
        opened(*replies) as (listing, _),
        pytest.raises(ListChanged, match="1 rows came twice, and so many of 4 did not come"),
    ):
        list(listing.rows(Window()))


def silent(*pages: str) -> list[Reply]:
    """Return pages that say nothing about their list."""
    return [
        Reply(body=json.dumps({"data": [{"id": name} for name in ids]}).encode()) for ids in pages
    ]


def test_without_a_total_keys_on_two_pages_may_be_how_a_list_is() -> None:
    with opened(*silent("ab", "cb", "") * 2) as (listing, server):
        assert ids(listing.rows(Window())) == "abcb"
        assert tokens(server) == ["1", "2", "3"] * 2


def test_a_list_that_grows_in_front_on_every_read_is_read() -> None:
    replies = silent("ab", "bc", "d", "", "nab", "bcd", "")
    with opened(*replies) as (listing, server):
        assert ids(listing.rows(Window())) == "nabbcd"
        assert tokens(server) == ["1", "2", "3", "4", "1", "2", "3"]
        assert listing.reading.tally.notes[1:] == [
            "1 rows came twice, for the list grew in front while it was read"
        ]


def test_keys_that_come_twice_anywhere_else_fail() -> None:
    replies = silent("ab", "cb", "", "ab", "ca", "")
    with (
        opened(*replies) as (listing, _),
        pytest.raises(ListChanged, match="1 keys are on more than one page"),
    ):
        list(listing.rows(Window()))


def test_of_a_long_list_the_first_rows_may_come_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_BYTES_HELD_BACK", 0)
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 3)
    with opened(*replies) as (listing, _):
        assert ids(listing.rows(Window())) == "ababd"


@pytest.mark.parametrize(("kept", "again"), [(0, 2), (1 << 20, 0)])
def test_rows_that_come_twice_are_told_from_rows(
    monkeypatch: pytest.MonkeyPatch, kept: int, again: int
) -> None:
    monkeypatch.setattr(listings, "_BYTES_HELD_BACK", kept)
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 3)
    with opened(*replies) as (listing, _):
        list(listing.rows(Window()))
        assert listing.reading.tally.again == again


def test_rows_before_a_failure_are_not_thrown_away() -> None:
    with opened(said("ab", 3), Reply(400)) as (listing, _):
        rows = listing.rows(Window())
        assert ids([next(rows), next(rows)]) == "ab"
        with pytest.raises(ReadError, match="answered 400"):
            next(rows)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [], "errors": ["no index"]},
        {"data": [], "error": {"code": 5}},
        {"errors": ["no index"]},
    ],
)
def test_an_error_beside_no_rows_is_no_empty_list(body: dict[str, Any]) -> None:
    with (
        opened(Reply(body=json.dumps(body).encode())) as (listing, _),
        pytest.raises(ReadError, match=r"no index|code"),
    ):
        list(listing.rows(Window()))


def test_an_error_beside_rows_is_not_ours() -> None:
    body = {"data": [{"id": "a"}], "errors": ["one field is missing"], "meta": {"total": 1}}
    with opened(Reply(body=json.dumps(body).encode())) as (listing, _):
        assert ids(listing.rows(Window())) == "a"


def test_what_is_held_back_comes_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    replies = said("ab", 6), said("cd", 6), said("ef", 6)
    monkeypatch.setattr(listings, "_BYTES_HELD_BACK", len(replies[0].body))
    with opened(*replies) as (listing, _):
        assert ids(listing.rows(Window())) == "abcdef"


def test_what_is_spooled_is_forgotten_when_the_list_is_read_again() -> None:
    replies = said("ab", 4), said("d", 3), said("xb", 3), said("d", 3)
    with opened(*replies) as (listing, _):
        spool = Spool()
        for batch in listing.batches(Window(), spool):
            for row in listing.reading.row_maker.rows(batch):
                spool.add(row)
        assert ids(spool.rows()) == "bdx"


def test_spooled_rows_come_as_their_pages_do() -> None:
    with opened(said("ab", 3), said("c", 3)) as (listing, _):
        batches = listing.batches(Window(), Spool())
        assert [batch.keys for batch in batches] == [[("a",), ("b",)], [("c",)]]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Denied), (404, ReadError), (400, ReadError), (500, ReadError)]
)
def test_failures_say_where_they_happened(status: int, kind: type[ReadError]) -> None:
    with opened(said("ab", 3), Reply(status)) as (listing, _):
        with pytest.raises(kind) as failure:
            list(listing.rows(Window()))
        assert type(failure.value) is kind
        assert str(failure.value).startswith(f"GET /v1/api_public/credentials answered {status}")


def test_only_a_first_page_can_be_gone() -> None:
    with opened(Reply(404)) as (listing, _), pytest.raises(Gone, match="answered 404"):
        list(listing.rows(Window()))


def test_a_list_that_is_given_up_asks_for_nothing_more() -> None:
    with opened(said("ab", 3), said("c", 3)) as (listing, server):
        listing.drop()
        assert listing._lane._readers == []
        assert len(server.asked) <= 2


def test_rows_are_ready_to_be_written() -> None:
    with opened(said("a", 1)) as (listing, _):
        (row,) = listing.rows(Window())
        line = json.loads(row.lines)
        assert line.pop("time_extracted").endswith("Z")
        assert line == {"type": "RECORD", "stream": STREAM, "record": {"id": "a"}}
        assert (row.key, row.number, row.context) == (("a",), 0, None)
