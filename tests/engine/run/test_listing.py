"""Lists that change while they are read: read again, or said to have failed."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.errors import Denied, Gone, ListChanged, ReadError, TooSlow, Unaskable
from tap_analytics.engine.http.answers import Answer
from tap_analytics.engine.output.report import Report
from tap_analytics.engine.pages.lane import Lane
from tap_analytics.engine.pages.pagination import PageNumbers
from tap_analytics.engine.run import listing as listings
from tap_analytics.engine.run.access import Access
from tap_analytics.engine.run.listing import Check, Listing
from tap_analytics.engine.run.outlet import Outlet
from tap_analytics.engine.run.reading import Reading
from tap_analytics.engine.run.spool import Row, Spool
from tap_analytics.engine.values.cursors import Window
from tap_analytics.tap import TapAnalytics
from tests.engine.doubles import Asked, Reply, Server, spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.stream import AnalyticsStream

STREAM = "public_credentials"


def said(ids: str, total: int) -> Reply:
    """Return a page of a list that has so many rows."""
    body = {"data": [{"id": name} for name in ids], "meta": {"total": total}}
    return Reply(body=json.dumps(body).encode())


@contextmanager
def reading(server: Server, stream: str = STREAM) -> Iterator[Listing]:
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
        yield listing
    finally:
        listing._lane.close()


@contextmanager
def opened(*replies: Reply, stream: str = STREAM) -> Iterator[tuple[Listing, Server]]:
    with Server(*replies).running() as server, reading(server, stream) as listing:
        yield listing, server


def rows_of(listing: Listing) -> Iterator[Row]:
    maker = listing.reading.row_maker
    return (Row._make(row) for batch in listing.batches(Window()) for row in maker.rows(batch))


def ids(rows: Any) -> str:
    return "".join(row.key[0] for row in rows)


def tokens(server: Server) -> list[str]:
    return [request.path.split("page=")[1][0] for request in server.asked]


def test_a_list_that_stays_is_read_once() -> None:
    with opened(said("ab", 3), said("c", 3)) as (listing, server):
        assert ids(rows_of(listing)) == "abc"
        assert tokens(server) == ["1", "2"]
        assert listing.reading.tally.notes == []


def test_a_list_that_shrinks_is_read_again() -> None:
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 3)
    with opened(*replies) as (listing, server):
        assert ids(rows_of(listing)) == "abd"
        assert tokens(server) == ["1", "2", "1", "2"]
        assert listing.reading.tally.notes == [
            "read again: the list changed while it was read (3 rows read, 3 announced, 4 before)"
        ]


def test_a_list_that_shrinks_again_fails() -> None:
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 2)
    with opened(*replies) as (listing, _):
        rows = rows_of(listing)
        assert [next(rows).key for _ in "ab"] == [("a",), ("b",)]
        with pytest.raises(ListChanged, match="3 rows read, 2 announced, 3 before"):
            next(rows)


def test_keys_on_two_pages_are_a_change() -> None:
    replies = said("ab", 4), said("bc", 4), said("xa", 4), said("bc", 4)
    with opened(*replies) as (listing, server):
        assert ids(rows_of(listing)) == "xabc"
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
        list(rows_of(listing))


def silent(*pages: str) -> list[Reply]:
    """Return pages that say nothing about their list."""
    return [
        Reply(body=json.dumps({"data": [{"id": name} for name in ids]}).encode()) for ids in pages
    ]


def test_without_a_total_keys_on_two_pages_may_be_how_a_list_is() -> None:
    with opened(*silent("ab", "cb", "") * 2) as (listing, server):
        assert ids(rows_of(listing)) == "abcb"
        assert tokens(server) == ["1", "2", "3"] * 2


def test_a_list_that_grows_in_front_on_every_read_is_read() -> None:
    replies = silent("ab", "bc", "d", "", "nab", "bcd", "")
    with opened(*replies) as (listing, server):
        assert ids(rows_of(listing)) == "nabbcd"
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
        list(rows_of(listing))


def test_of_a_long_list_the_first_rows_may_come_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_BYTES_HELD_BACK", 0)
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 3)
    with opened(*replies) as (listing, _):
        assert ids(rows_of(listing)) == "ababd"


@pytest.mark.parametrize(("kept", "again"), [(0, 2), (1 << 20, 0)])
def test_rows_that_come_twice_are_told_from_rows(
    monkeypatch: pytest.MonkeyPatch, kept: int, again: int
) -> None:
    monkeypatch.setattr(listings, "_BYTES_HELD_BACK", kept)
    replies = said("ab", 4), said("d", 3), said("ab", 3), said("d", 3)
    with opened(*replies) as (listing, _):
        list(rows_of(listing))
        assert listing.reading.tally.again == again


def test_rows_before_a_failure_are_not_thrown_away() -> None:
    with opened(said("ab", 3), Reply(400)) as (listing, _):
        rows = rows_of(listing)
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
        list(rows_of(listing))


def test_an_error_beside_rows_is_not_ours() -> None:
    body = {"data": [{"id": "a"}], "errors": ["one field is missing"], "meta": {"total": 1}}
    with opened(Reply(body=json.dumps(body).encode())) as (listing, _):
        assert ids(rows_of(listing)) == "a"


def test_what_is_held_back_comes_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    replies = said("ab", 6), said("cd", 6), said("ef", 6)
    monkeypatch.setattr(listings, "_BYTES_HELD_BACK", len(replies[0].body))
    with opened(*replies) as (listing, _):
        assert ids(rows_of(listing)) == "abcdef"


def test_what_is_spooled_is_forgotten_when_the_list_is_read_again() -> None:
    replies = said("ab", 4), said("d", 3), said("xb", 3), said("d", 3)
    with opened(*replies) as (listing, _):
        spool = Spool()
        for batch in listing.batches(Window(), spool):
            spool.extend(listing.reading.row_maker.rows(batch))
        assert ids(spooled(spool)) == "bdx"


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
            list(rows_of(listing))
        assert type(failure.value) is kind
        assert str(failure.value).startswith(f"GET /v1/api_public/credentials answered {status}")


def test_only_a_first_page_can_be_gone() -> None:
    with opened(Reply(404)) as (listing, _), pytest.raises(Gone, match="answered 404"):
        list(rows_of(listing))


def test_a_list_that_is_given_up_asks_for_nothing_more() -> None:
    with opened(said("ab", 3), said("c", 3)) as (listing, server):
        listing.drop()
        assert listing._lane._readers == []
        assert len(server.asked) <= 2


def test_rows_are_ready_to_be_written() -> None:
    with opened(said("a", 1)) as (listing, _):
        (row,) = rows_of(listing)
        line = json.loads(row.lines)
        assert line.pop("time_extracted").endswith("Z")
        assert line == {"type": "RECORD", "stream": STREAM, "record": {"id": "a"}}
        assert (row.key, row.number, row.context) == (("a",), 0, None)


def test_pages_are_passed_on_as_soon_as_a_spool_takes_them() -> None:
    with opened(said("ab", 5), said("cd", 5), said("e", 5)) as (listing, server):
        batches = listing.batches(Window(), Spool())
        assert next(batches).keys == [("a",), ("b",)]
        assert len(server.asked) < 3, "and not when all have come"
        assert sum(len(batch.keys) for batch in batches) == 3


def test_so_much_is_held_back_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [said(two, 8) for two in ("ab", "cd", "ef", "gh")]
    size = len(pages[0].body)
    # Each page is asked for when the one before is taken, and one at most beyond it.
    for kept, first in ((0, 1), (size - 1, 1), (size, 2), (2 * size - 1, 2), (2 * size, 3)):
        monkeypatch.setattr(listings, "_BYTES_HELD_BACK", kept)
        with opened(*pages) as (listing, _):
            seen = []
            see = Check.see

            def counted(check: Check, page: Page) -> None:
                seen.append(page)  # noqa: B023 - used within the turn
                see(check, page)  # noqa: B023

            monkeypatch.setattr(Check, "see", counted)
            batches = listing.batches(Window())
            next(batches)
            assert len(seen) == first, kept
            assert sum(len(batch.keys) for batch in batches) == 6
            monkeypatch.setattr(Check, "see", see)


def test_all_rows_that_left_too_early_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_BYTES_HELD_BACK", 0)
    again = [said("ab", 5), said("cd", 5), said("e", 5)]
    with opened(said("ab", 6), said("cd", 6), said("e", 5), *again) as (listing, _):
        assert ids(rows_of(listing)) == "abcd" + "abcde"
        assert listing.reading.tally.again == 4


class ByPage(Server):
    """Answers each page with its own reply, and those beyond them with no rows."""

    def __init__(self, total: int, *pages: str) -> None:
        super().__init__(said("", total))
        self.pages = [said(ids, total) for ids in pages]

    def _take(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
        number = int(asked.path.split("page=")[1].split("&")[0])
        return self.pages[number - 1] if number <= len(self.pages) else self.replies[0]


def test_a_list_with_rows_that_nobody_may_see_is_read_twice_and_that_is_said() -> None:
    with ByPage(5, "ab", "c").running() as server, reading(server) as listing:
        assert ids(rows_of(listing)) == "abc"
        assert tokens(server)[0] == "1"
        assert tokens(server).count("1") == 2
        assert "it announces 5 rows, but only 3 can be seen, twice alike" in (
            listing.reading.tally.notes
        )


def test_requests_carry_the_key() -> None:
    with opened(said("a", 1)) as (listing, server):
        list(rows_of(listing))
        assert server.asked[0].headers["api_key"] == "a-key"


def test_a_stream_may_judge_an_answer_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any, response: Any) -> None:
        msg = f"not as it should be: {response.status_code}"
        raise ReadError(msg)

    with opened(said("a", 1)) as (listing, _):
        monkeypatch.setattr(type(listing.stream), "validate_response", refuse)
        with pytest.raises(ReadError, match="not as it should be: 200"):
            list(rows_of(listing))


def test_what_is_at_hand_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def at_hand(_: Any, context: Any) -> Answer:
        asked.append(context)
        return Answer(200, {}, said("xy", 2).body)

    kind = type(TapAnalytics(config={}).streams[STREAM])
    monkeypatch.setattr(kind, "answer_at_hand", at_hand)
    with opened(said("a", 1)) as (plain, server):
        plain.drop()
        listing = Listing(plain.reading, {"of": "b"})
        assert ids(rows_of(listing)) == "xy"
        assert {"of": "b"} in asked
        assert server.asked == []


@pytest.mark.parametrize(("halves", "kind"), [((), ReadError), (({"n": 1}, {"n": 2}), TooSlow)])
def test_what_is_too_slow_may_be_asked_for_in_parts(
    monkeypatch: pytest.MonkeyPatch, halves: Any, kind: type[ReadError]
) -> None:
    with opened(Reply(504)) as (plain, _):
        plain.drop()
        monkeypatch.setattr(type(plain.stream), "halves", lambda *_: halves)
        with pytest.raises(ReadError) as failure:
            list(rows_of(Listing(plain.reading)))
        assert isinstance(failure.value, TooSlow) is (kind is TooSlow)


def test_a_list_that_cannot_be_asked_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        msg = "has no name to be asked with"
        raise Unaskable(msg)

    with opened(said("a", 1)) as (plain, _):
        plain.drop()
        monkeypatch.setattr(type(plain.stream), "get_http_request", refuse)
        said_ = f"GET {plain.stream.path} has no name to be asked with"
        with pytest.raises(Unaskable, match=re.escape(said_)):
            list(rows_of(Listing(plain.reading)))


def speculating(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Collect whether lists, as they are opened, may ask for pages that may not exist."""
    found: list[bool] = []
    open_ = Lane.open

    def spy(self: Lane, *args: Any, speculate: bool = False, **more: Any) -> Any:
        found.append(speculate)
        return open_(self, *args, speculate=speculate, **more)

    monkeypatch.setattr(Lane, "open", spy)
    return found


def test_a_list_that_is_read_again_asks_for_nothing_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = speculating(monkeypatch)
    with opened(said("ab", 4), said("d", 3), said("ab", 3), said("d", 3)) as (listing, _):
        list(rows_of(listing))
        assert found == [True, False]
        listing.reading.parent = listing.reading
        Listing(listing.reading).drop()
        assert found == [True, False, False], "nor does a list below a row"


def test_how_many_rows_there_are_is_told_by_lists_of_the_stream_itself() -> None:
    with opened(said("ab", 3), said("c", 3)) as (listing, _):
        list(rows_of(listing))
        tally = listing.reading.tally
        assert (tally.rows_read, tally.rows_expected) == (3, 3)
    with ByPage(3, "ab", "c").running() as server, reading(server) as plain:
        list(rows_of(plain))
        plain.reading.tally.rows_expected = None
        list(rows_of(Listing(plain.reading, {"of": "a parent"})))
        assert plain.reading.tally.rows_expected is None


def test_a_refusal_may_say_that_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(Reply(404)) as (plain, _):
        plain.drop()
        kind = type(plain.stream)
        monkeypatch.setattr(kind, "is_nothing", lambda _, error: error.status == 404)
        monkeypatch.setattr(kind, "unwrap", lambda _, body: {"data": body})
        assert list(rows_of(Listing(plain.reading))) == []


def test_pages_that_are_too_large_are_asked_for_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    class Careful(PageNumbers):
        size = 100
        surely = 2
        total_path = ("meta", "total")

    class Strict(ByPage):
        def _take(self, asked: Asked) -> Reply:
            reply = super()._take(asked)
            return Reply(400) if "limit=100" in asked.path else reply

    kind = type(TapAnalytics(config={}).streams[STREAM])
    monkeypatch.setattr(kind, "get_new_paginator", lambda _: Careful())
    with Strict(3, "ab", "c").running() as server, reading(server) as listing:
        assert ids(rows_of(listing)) == "abc"
        asked = [one.path.partition("?")[2] for one in server.asked]
        assert asked == ["page=1&limit=100", "page=1&limit=2", "page=2&limit=2"]


def test_only_a_paginator_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(said("a", 1)) as (plain, _):
        monkeypatch.setattr(type(plain.stream), "get_new_paginator", lambda _: 5)
        with pytest.raises(ReadError) as failure:
            Listing(plain.reading)
        assert str(failure.value) == (
            "get_new_paginator returned a int: it has to be a Paginator of "
            "tap_analytics.engine.pages.pagination, such as NextToken"
        )


def test_a_failure_keeps_its_status() -> None:
    with opened(Reply(401)) as (listing, _), pytest.raises(Denied) as failure:
        list(rows_of(listing))
    assert failure.value.status == 401
