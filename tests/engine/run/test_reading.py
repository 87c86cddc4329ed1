"""What a stream wants of one run, and what is said of what became of it."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.errors import Denied, Gone, ReadError
from tap_analytics.engine.output.report import COMPLETE, DENIED, FAILED, Report
from tap_analytics.engine.run.access import Access
from tap_analytics.engine.run.bookmarks import ChildBookmark
from tap_analytics.engine.run.outlet import Outlet
from tap_analytics.engine.run.reading import Reading
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST
from tap_analytics.tap import TapAnalytics
from tests.engine.doubles import row

if TYPE_CHECKING:
    from tap_analytics.engine.stream import AnalyticsStream

SECOND = 1_000_000
CONFIG: dict[str, Any] = {
    "experimentation_api_key": "a-key",
    "experimentation_base_url": "http://127.0.0.1:9",
    "emit_activate_version_messages": True,
}
NOW = times.micros("2026-06-10T12:00:00Z")
KEY = "lastModifiedTime"
ROOT, CHILD = "dynamic_configs", "dynamic_configs_versions"
PLAIN_CHILD = "dynamic_configs_rules"
FAMILY = [ROOT, CHILD, PLAIN_CHILD]


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "now", lambda: NOW)


def at(moment: int, **more: Any) -> dict[str, Any]:
    """Return the entry of a stream that was read up to a moment."""
    return {"replication_key": KEY, "replication_key_value": moment // 1000, **more}


def reading_of(
    stream: str = ROOT,
    state: dict[str, Any] | None = None,
    left_out: str | None = None,
    **config: Any,
) -> Reading:
    """Return a reading, with the entries of an earlier run by stream."""
    named = {**CONFIG, **config}
    catalog = None
    if left_out is not None:
        catalog = TapAnalytics(config=named).catalog_dict
        for one in catalog["streams"]:
            if one["tap_stream_id"] == left_out:
                (whole,) = [part for part in one["metadata"] if not part["breadcrumb"]]
                whole["metadata"]["selected"] = False
    tap = TapAnalytics(config=named, catalog=catalog)
    (account,) = accounts(tap.config)
    outlet = Outlet(tap.message_writer, {"bookmarks": state or {}})
    return Reading(cast("AnalyticsStream", tap.streams[stream]), Access(account), outlet, Report())


def family_of(*args: Any, **more: Any) -> dict[str, Reading]:
    return {one.name: one for one in reading_of(*args, **more).family}


@cache
def kinds() -> dict[str, type]:
    return {name: type(one) for name, one in TapAnalytics(config=CONFIG).streams.items()}


def declare(monkeypatch: pytest.MonkeyPatch, stream: str, **values: Any) -> None:
    """Let the class of a stream declare something."""
    kind = kinds()[stream]
    for name, value in values.items():
        monkeypatch.setattr(kind, name, value)


# What it wants


def test_parents_come_before_their_children() -> None:
    family = family_of()
    assert list(family) == FAMILY
    assert family[ROOT].parent is None
    assert {family[name].parent for name in FAMILY[1:]} == {family[ROOT]}
    assert all(one.row_maker for one in family.values())


@pytest.mark.parametrize(
    ("last", "is_due"),
    [
        (None, True),
        ("some day", True),
        (times.iso(NOW - times.DAY), True),
        (times.iso(NOW - times.DAY + SECOND), False),
        (times.iso(NOW), False),
    ],
)
def test_a_full_read_is_due_after_so_many_days(last: str | None, *, is_due: bool) -> None:
    state = {ROOT: {"full_read": last} if last else {}}
    assert reading_of(state=state, full_read_every_days=1).is_due is is_due
    assert reading_of(state=state).is_due is False


def test_without_a_bookmark_what_is_incremental_is_not_read_in_full() -> None:
    family = family_of()
    assert [one.is_full for one in family.values()] == [False, False, False]
    assert reading_of("tags").is_full


READ = {"full_read": times.iso(NOW)}


@pytest.mark.parametrize(
    ("state", "full"),
    [
        ({ROOT: READ, CHILD: READ}, []),  # one that has no bookmark is never due
        ({ROOT: READ}, FAMILY),
        ({CHILD: READ}, [ROOT, PLAIN_CHILD]),
        ({}, FAMILY),
    ],
)
def test_what_is_due_takes_all_above_with_it(state: dict[str, Any], full: list[str]) -> None:
    family = family_of(state=state, full_read_every_days=1)
    assert [name for name, one in family.items() if one.is_full] == full


@pytest.mark.parametrize(
    "more", [{"end_date": "2026-06-11"}, {"backfill": True, "start_date": "2026-06-01"}]
)
def test_nothing_is_read_in_full_that_has_an_end(more: dict[str, Any]) -> None:
    assert not reading_of(full_read_every_days=1, **more).is_full


def test_a_child_of_every_parent_takes_its_parents_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declare(monkeypatch, PLAIN_CHILD, of_every_parent=True)
    family = family_of()
    assert [name for name, one in family.items() if one.is_full] == [ROOT, PLAIN_CHILD]
    assert not reading_of(end_date="2026-06-11").is_full
    assert not reading_of(left_out=PLAIN_CHILD).is_full


def test_a_bookmark_is_where_it_starts() -> None:
    state = {ROOT: at(NOW - 9 * SECOND)}
    family = family_of(state=state)
    assert family[ROOT].window == (NOW - 9 * SECOND, -FIRST)
    assert family[CHILD].window == (FIRST, -FIRST)
    full = reading_of(state=state, full_read_every_days=1, start_date="2026-06-01")
    assert full.window == (times.micros("2026-06-01"), -FIRST)


def test_a_later_start_date_is_where_it_starts_and_an_end_date_where_it_ends() -> None:
    bounds: dict[str, Any] = {"start_date": "2026-06-05", "end_date": "2026-06-06"}
    start, end = times.micros("2026-06-05"), times.last_micros("2026-06-06")
    assert reading_of(state={ROOT: at(start - SECOND)}, **bounds).window == (start, end)
    assert reading_of(state={ROOT: at(start + SECOND)}, **bounds).window == (start + SECOND, end)
    assert reading_of(**bounds).window == (start, end)
    assert reading_of("tags", **bounds).window == (start, end)


def test_a_backfill_starts_where_it_is_told() -> None:
    reading = reading_of(state={ROOT: at(NOW - SECOND)}, backfill=True, start_date="2026-06-01")
    assert reading.window == (times.micros("2026-06-01"), -FIRST)
    assert [one.is_wanted for one in reading.family] == [True, True, False]


def test_what_is_left_out_is_not_wanted() -> None:
    family = family_of(left_out=ROOT)
    assert {name: one.is_wanted for name, one in family.items()} == {
        ROOT: False,
        PLAIN_CHILD: True,
        CHILD: True,
    }


@pytest.mark.parametrize(
    ("declared", "chosen", "days"),
    [(0, None, 0), (1.5, None, 1.5), (1.5, 2, 2), (1.5, 0, 0), (0, 0.5, 0.5)],
)
def test_it_starts_so_long_before_its_bookmark(
    monkeypatch: pytest.MonkeyPatch, declared: float, chosen: float | None, days: float
) -> None:
    declare(monkeypatch, ROOT, lookback_days=declared)
    more: dict[str, Any] = {} if chosen is None else {"lookback_days": chosen}
    reading = reading_of(state={ROOT: at(NOW - SECOND)}, **more)
    assert reading.lookback == days * times.DAY
    assert reading.window.since == NOW - SECOND - days * times.DAY
    reading = reading_of(state={ROOT: at(NOW - SECOND)}, start_date="2026-06-10", **more)
    since = times.micros("2026-06-10")
    assert reading.window.since == max(since, NOW - SECOND - days * times.DAY)


def same() -> dict[str, Any]:
    """Return the state of a child whose parents were counted."""
    return {CHILD: at(NOW - SECOND, parents="census")}


def test_below_the_same_parents_a_child_starts_at_its_bookmark() -> None:
    child = family_of(state=same(), lookback_days=1)[CHILD]
    child.narrow("another")
    assert child.window == (FIRST, -FIRST)
    child.narrow(None)
    assert child.window == (FIRST, -FIRST)
    child.narrow("census")
    assert child.window == (NOW - SECOND - times.DAY, -FIRST)


@pytest.mark.parametrize(
    "more", [{"full_read_every_days": 1}, {"backfill": True, "start_date": "2026-06-01"}]
)
def test_a_child_that_is_read_in_full_is_not_narrowed(more: dict[str, Any]) -> None:
    child = family_of(state=same(), **more)[CHILD]
    before = child.window
    child.narrow("census")
    assert child.window == before


def test_only_children_are_narrowed() -> None:
    reading = reading_of(state={ROOT: at(NOW - SECOND, parents="census")})
    before = reading.window
    reading.window = before._replace(until=5)
    reading.narrow("census")
    assert reading.window.until == 5


def test_a_stream_that_was_not_covered_is_said() -> None:
    state = {ROOT: at(NOW - SECOND, covers=[ROOT, CHILD])}
    reading = reading_of(state=state)
    assert reading.tally.notes == [f"newly selected: {PLAIN_CHILD}; read from the start"]
    assert reading.window.since == FIRST
    assert reading_of(state=state, left_out=PLAIN_CHILD).window.since == NOW - SECOND


# Its version


@pytest.mark.parametrize(
    ("last", "version"),
    [
        (None, NOW // SECOND),
        (5, NOW // SECOND),
        (NOW // SECOND, NOW // SECOND + 1),
        (NOW // SECOND + 7, NOW // SECOND + 8),
        (str(NOW), NOW // SECOND),
        (True, NOW // SECOND),
    ],
)
def test_a_version_is_the_time_and_always_a_later_one(last: Any, version: int) -> None:
    state = {"tags": {} if last is None else {"version": last}}
    assert reading_of("tags", state).version == version


def test_a_version_may_not_be_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reading_of("tags", emit_activate_version_messages=False).version is None
    declare(monkeypatch, "tags", asks_by_days=True)
    assert reading_of("tags").version == NOW // SECOND
    assert reading_of("tags", end_date="2026-06-11").version is None
    declare(monkeypatch, "tags", asks_by_days=False)
    assert reading_of("tags", end_date="2026-06-11").version == NOW // SECOND
    declare(monkeypatch, "tags", append_only=True)
    assert reading_of("tags").version is None


def test_between_full_reads_the_version_stays() -> None:
    state = {ROOT: {**READ, "version": 7}, CHILD: READ}
    assert reading_of(state=state, full_read_every_days=1).version == 7
    assert reading_of(state=state).version is None
    assert reading_of(full_read_every_days=1).version == NOW // SECOND


# What became of it


def refused(status: int = 403, message: str = "no") -> Denied:
    error = Denied(message)
    error.status = status
    return error


def test_ten_refusals_in_a_row_close_a_stream() -> None:
    reading = reading_of()
    closed = []
    for _ in range(10):
        reading.fail(refused())
        closed.append(reading.is_closed)
    assert closed == [False] * 9 + [True]
    assert reading.tally.status == DENIED


def test_one_list_that_was_read_keeps_a_stream_open() -> None:
    reading = reading_of()
    reading.succeed()
    for _ in range(20):
        reading.fail(refused())
    assert not reading.is_closed


def test_other_failures_close_nothing() -> None:
    child = family_of()[CHILD]
    for error in (ReadError("no"), Gone("no"), KeyError("no")):
        for _ in range(11):
            child.fail(error)
    assert not child.is_closed


def test_a_refusal_is_said_with_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = reading_of()
    monkeypatch.setattr(reading.stream.api, "permission_help", "ask for it")
    can_wait = [reading.tally.may_be_left_out]
    for status, message in ((401, "wrong key"), (403, "not yours")):
        reading.fail(refused(status, message))
        can_wait.append(reading.tally.may_be_left_out)
    assert can_wait == [True, False, True]
    assert reading.tally.reasons == [
        "wrong key; check setting 'experimentation_api_key'",
        "not yours; ask for it",
    ]
    assert reading.tally.status == DENIED


def test_without_help_a_refusal_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = reading_of()
    monkeypatch.setattr(reading.stream.api, "permission_help", "")
    reading.fail(refused())
    assert reading.tally.reasons == ["no"]


def test_a_list_of_its_own_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = family_of()
    monkeypatch.setattr(family[ROOT].stream.api, "permission_help", "ask for it")
    family[ROOT].fail(Gone("not there"))
    family[CHILD].fail(Gone("not there"))
    assert (family[ROOT].tally.status, family[CHILD].tally.status) == (DENIED, FAILED)
    assert family[ROOT].tally.reasons == ["not there; ask for it"]
    assert family[CHILD].tally.reasons == ["not there"]


def test_what_nobody_expects_is_said_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    reading = reading_of()
    reading.stream.logger.propagate = True
    error = KeyError("id")
    with caplog.at_level(logging.ERROR):
        reading.fail(ReadError("slow"))
        assert not caplog.records
        reading.fail(error)
    assert reading.tally.reasons == ["slow", "unexpected KeyError: 'id'"]
    assert reading.tally.status == FAILED
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.getMessage() == f"Unexpected failure of '{ROOT}'"
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_lists_that_are_all_gone_are_in_doubt() -> None:
    child = family_of()[CHILD]
    doubts = [child.is_in_doubt]
    for name in ("one", "two"):
        child.miss(Gone(name))
        doubts.append(child.is_in_doubt)
    child.succeed()
    assert [*doubts, child.is_in_doubt] == [False, True, True, False]
    assert child.tally.skipped == 2
    assert child.tally.notes == ["skipped because gone, such as one"]


@pytest.mark.parametrize("helps", ["turn it on", ""])
def test_when_no_list_is_there_it_is_refused(monkeypatch: pytest.MonkeyPatch, helps: str) -> None:
    child = family_of()[CHILD]
    monkeypatch.setattr(child.stream.api, "permission_help", helps)
    for _ in range(3):
        child.miss(Gone("x"))
    child.finish()
    tail = f"; {helps}" if helps else ""
    assert child.tally.reasons == [f"none of its 3 lists is there{tail}"]
    assert child.tally.status == (DENIED if helps else FAILED)


def test_a_child_keeps_its_parents_only_if_none_is_gone() -> None:
    for gone, parents in ((False, "new"), (True, None)):
        child = family_of(state=same())[CHILD]
        child.narrow("new")
        child.succeed()
        if gone:
            child.miss(Gone("x"))
        child.finish()
        assert child.tally.is_complete
        assert child.entry.read().get("parents") == parents


def test_a_child_moves_its_bookmark_if_all_was_read() -> None:
    for fails, moved in ((False, NOW - 20 * SECOND), (True, None)):
        child = family_of()[CHILD]
        assert isinstance(child.bookmark, ChildBookmark)
        child.bookmark.note(row(NOW - 20 * SECOND))
        if fails:
            child.fail(ReadError("x"))
        child.finish()
        assert child.entry.read().get("replication_key_value") == moved


def test_a_full_read_is_remembered_if_it_is_complete() -> None:
    def remembered(stream: str = ROOT, error: Exception | None = None, **config: Any) -> Any:
        reading = reading_of(stream, **config)
        if error is not None:
            reading.fail(error)
        reading.finish()
        return reading.entry.read().get("full_read")

    assert remembered(full_read_every_days=1) == times.iso(NOW)
    assert remembered() is None
    assert remembered("tags", full_read_every_days=1) is None
    assert remembered(full_read_every_days=1, end_date="2026-06-11") is None
    assert remembered(full_read_every_days=1, error=ReadError("x")) is None


def test_rows_without_a_key_are_a_failure() -> None:
    reading = reading_of("tags")
    reading.row_maker.refused = 3
    reading.finish()
    assert reading.tally.reasons == ["3 rows without a key were refused"]
    assert reading.tally.status == FAILED


def test_a_verdict_is_asked_for_unless_something_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def verdict(_: Any, lists: int) -> str:
        asked.append(lists)
        return "not all"

    declare(monkeypatch, CHILD, verdict=verdict)
    child = family_of()[CHILD]
    child.meet()
    child.meet()
    child.finish()
    assert (asked, child.tally.reasons, child.tally.status) == ([2], ["not all"], FAILED)
    child = family_of()[CHILD]
    child.fail(ReadError("x"))
    child.finish()
    assert (asked, child.tally.reasons) == ([2], ["x"])


def test_drift_is_said_once_with_its_most_common_fields() -> None:
    reading = reading_of("tags")
    conformer = reading.stream.conformer
    conformer.unknown.update({f"f{number:02}": 100 - number for number in range(21)})
    conformer.changed["id"] += 2
    reading.finish()
    assert reading.tally.drift == [
        "fields outside the schema: "
        + ", ".join(f"f{number:02} ({100 - number})" for number in range(20))
        + " and 1 more",
        "values of another type: id (2)",
    ]
    assert reading.tally.status == COMPLETE
    reading.finish()
    assert len(reading.tally.drift) == 2


def test_records_are_counted_for_the_sdk(caplog: pytest.LogCaptureFixture) -> None:
    reading = reading_of("tags")
    reading.tally.records = 12
    with caplog.at_level(logging.INFO):
        reading.finish()
    (said,) = [one.getMessage() for one in caplog.records if "record_count" in one.getMessage()]
    assert '"value":12,' in said


# Whether what is gone may be removed


def done(
    stream: str = "tags", records: int = 10, before: dict[str, Any] | None = None, **more: Any
) -> Reading:
    """Return a reading that is complete, with so many records."""
    reading = reading_of(stream, {stream: before or {}}, **more)
    reading.tally.records = records
    reading.tally.complete()
    return reading


def test_what_is_read_whole_may_be_activated() -> None:
    assert done().may_activate() is True
    assert done(records=0).may_activate() is True


def test_what_may_not_be_whole_is_not_activated() -> None:
    assert not done(emit_activate_version_messages=False).may_activate()
    assert not done(ROOT).may_activate()
    kept = {**READ, "version": 7}
    state = {ROOT: kept, CHILD: READ}
    reading = reading_of(state=state, full_read_every_days=1)
    reading.tally.complete()
    assert (reading.version, reading.may_activate()) == (7, False)
    reading = done()
    reading.suspect("all is empty")
    assert not reading.may_activate()
    assert reading.tally.notes == ["all is empty"]
    reading = reading_of("tags")
    assert not reading.may_activate()
    reading.fail(ReadError("x"))
    reading.tally.complete()
    assert not reading.may_activate()
    child = family_of("dynamic_configs", left_out=ROOT, full_read_every_days=1)
    child[ROOT].tally.complete()
    assert child[ROOT].version
    assert not child[ROOT].may_activate()


@pytest.mark.parametrize(
    ("rows", "now", "share", "may"),
    [
        (100, 50, 0.5, True),
        (100, 49, 0.5, False),
        (100, 1, 1, True),
        (100, 0, 1, False),
        (100, 100, 0, True),
        (100, 99, 0, False),
        (0, 0, 0, True),
        ("100", 0, 0, True),
        (None, 0, 0, True),
    ],
)
def test_far_fewer_rows_than_last_time_are_not_believed(
    rows: Any, now: int, share: float, *, may: bool
) -> None:
    before = {} if rows is None else {"rows": rows}
    reading = done(records=now, before=before, max_lost_share=share)
    assert reading.may_activate() is may
    assert reading.tally.notes == (
        [] if may else [f"ACTIVATE_VERSION withheld: {now} rows, {rows} last time"]
    )


def test_rows_that_were_written_again_do_not_count() -> None:
    reading = done(records=60, before={"rows": 100}, max_lost_share=0.5)
    reading.tally.again = 11
    assert not reading.may_activate()
    reading.tally.again = 10
    assert reading.may_activate()
    reading.activated()
    assert reading.entry.read() == {"rows": 50, "version": NOW // SECOND}


def test_a_later_start_date_than_last_time_removes_nothing() -> None:
    old, new = "2026-06-01", "2026-06-05"

    def may(before: dict[str, Any], start: str | None) -> bool:
        more: dict[str, Any] = {} if start is None else {"start_date": start}
        reading = done(ROOT, before=before, full_read_every_days=1, **more)
        may = reading.may_activate()
        withheld = "ACTIVATE_VERSION withheld: start_date was earlier last time"
        assert (withheld in reading.tally.notes) is not may
        return may

    def kept(start: str) -> dict[str, Any]:
        return {"version": 1, "since": times.iso(times.micros(start))}

    assert may({}, new)
    assert not may({"version": 1}, new)
    assert not may(kept(old), new)
    assert may(kept(new), new)
    assert may(kept(new), old)
    assert may(kept(old), None)
    assert may({"version": 1}, None)


def test_a_start_date_holds_for_what_is_read_below() -> None:
    family = family_of(full_read_every_days=1, start_date="2026-06-05")
    start = times.iso(times.micros("2026-06-05"))
    for one in family.values():
        one.tally.records = 4
        one.activated()
        expected = {"rows": 4, "version": NOW // SECOND, "since": start}
        assert one.entry.read() == expected, one.name
    reading = reading_of("tags", start_date="2026-06-05")
    reading.activated()
    assert "since" not in reading.entry.read(), "all of it is read, whatever the start date"


def test_the_later_start_of_the_two_holds() -> None:
    family = family_of()
    early, late = times.micros("2026-06-01"), times.micros("2026-06-05")
    for above, below in ((early, late), (late, early)):
        family[ROOT].window = family[ROOT].window._replace(since=above)
        family[CHILD].window = family[CHILD].window._replace(since=below)
        assert family[CHILD].first == times.iso(late)


def test_the_end_of_a_reading_may_go_to_another_outlet() -> None:
    reading = reading_of()
    state: dict[str, Any] = {}
    tap = TapAnalytics(config=CONFIG)
    outlet = Outlet(tap.message_writer, state)
    reading.hand_over(outlet)
    for one in reading.family:
        assert one.outlet is outlet
        one.entry.write(at=one.name)
    assert state == {"bookmarks": {name: {"at": name} for name in FAMILY}}


def test_a_report_shows_the_bookmark_before_and_after() -> None:
    reading = reading_of(state={ROOT: at(NOW - SECOND)})
    reading.entry.write(replication_key_value=5)
    assert reading.tally.bookmark_before == str((NOW - SECOND) // 1000)
    assert reading.tally.bookmark_after == "5"
