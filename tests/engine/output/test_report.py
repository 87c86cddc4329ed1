"""What a run says about its streams."""

from __future__ import annotations

from tap_analytics.engine.output.report import COMPLETE, DENIED, FAILED, INTERRUPTED, Report, Tally


def test_a_stream_is_interrupted_until_it_is_complete() -> None:
    tally = Tally("s", "api")
    assert (tally.status, tally.is_complete) == (INTERRUPTED, False)
    tally.complete()
    assert (tally.status, tally.is_complete) == (COMPLETE, True)


def test_the_worst_outcome_counts() -> None:
    tally = Tally("s", "api")
    tally.fail(DENIED, "one")
    assert tally.status == DENIED
    tally.fail(FAILED, "two")
    tally.fail(DENIED, "three")
    tally.fail(FAILED, "four")
    tally.complete()
    assert (tally.status, tally.reasons) == (FAILED, ["one", "two", "three"])


def test_everything_is_counted() -> None:
    tally = Tally("s", "api")
    tally.request()
    tally.request()
    tally.retry()
    tally.retry()
    now = [10.0]
    with tally.waiting("told", 11.25, lambda: now[0]):
        now[0] += 1.25
    with tally.waiting("retry", 20, lambda: now[0]):
        now[0] += 0.5004
    tally.records = 3
    tally.skip("GET /a")
    tally.skip("GET /b")
    tally.note("n")
    tally.note("n")
    tally.drifted("d", ["x"])
    tally.answered(100, 0.5)
    tally.answered(50, 0.5)
    tally.complete()
    row = tally.row()
    assert row.pop("seconds") >= 0
    assert row == {
        "stream": "s",
        "api": "api",
        "account": None,
        "status": "complete",
        "records": 3,
        "bytes": 150,
        "requests": 2,
        "retries": 2,
        "seconds_waited": 1.75,
        "waits": {"told": 1.25, "retry": 0.5},
        "skipped": 2,
        "bookmark_before": None,
        "bookmark_after": None,
        "reason": None,
        "notes": ["skipped because gone, such as GET /a", "n"],
        "drift": ["d: x"],
    }
    assert tally.line() == (
        "s (api): complete, 3 records, 2 requests, 2 retries, 1.8 s waited, 2 skipped; "
        "skipped because gone, such as GET /a; n; d: x"
    )


def test_waits_side_by_side_count_once() -> None:
    tally = Tally("s", "api")
    now = [10.0]

    def clock() -> float:
        return now[0]

    with tally.waiting("told", 14, clock):
        now[0] = 11
        with tally.waiting("told", 14, clock):
            now[0] = 13
        now[0] = 14
    assert tally.waits == {"told": 3.0 + 0.0}
    assert tally.waited == 3


def test_reasons_are_told() -> None:
    tally = Tally("s", "api")
    tally.fail(FAILED, "one http://user:word@host/")
    tally.fail(FAILED, "two")
    assert tally.row()["reason"] == "one http://***@host/; two"
    assert tally.line().endswith("0 skipped; one http://***@host/; two")


def test_a_report_is_sound_if_all_streams_are_complete() -> None:
    report = Report()
    one, two = report.tally("one", "api"), report.tally("two", "api")
    assert report.tally("one", "api") is one
    one.complete()
    assert (report.sound, report.troubles) == (False, [])
    two.fail(DENIED, "no")
    assert (report.sound, report.troubles) == (False, [two])


def test_a_report_without_streams_is_sound() -> None:
    assert Report().sound


def test_accounts_are_told_apart() -> None:
    report = Report()
    one, two = report.tally("s", "api", "acme"), report.tally("s", "api", "other")
    assert one is not two
    assert (one.name, two.row()["account"]) == ("s of acme", "other")


def test_totals_are_sums() -> None:
    report = Report()
    for name in ("a", "b"):
        tally = report.tally(name, "api")
        tally.records = 3
        tally.request()
        tally.answered(10, 0.1)
    report.tally("a", "api").complete()
    totals = report.totals()
    assert totals.pop("seconds") >= 0
    assert totals == {
        "streams": 2,
        "complete": 1,
        "failed": 0,
        "denied": 0,
        "interrupted": 1,
        "records": 6,
        "bytes": 20,
        "requests": 2,
        "retries": 0,
        "waits": {},
        "skipped": 0,
    }


def test_a_bookmark_is_told_as_it_is_now() -> None:
    tally, bookmark = Tally("s", "api"), ["2026-01-01"]
    assert (tally.bookmark_before, tally.bookmark_after) == (None, None)
    tally.follow(lambda: bookmark[-1])
    bookmark.append("2026-02-02")
    row = tally.row()
    assert (row["bookmark_before"], row["bookmark_after"]) == ("2026-01-01", "2026-02-02")
