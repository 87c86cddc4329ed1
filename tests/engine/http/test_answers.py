"""Judging answers."""

from __future__ import annotations

import time
from decimal import Decimal
from email.utils import formatdate
from typing import Any

import pytest
import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_analytics.engine.errors import Denied, Gone, ReadError, TransientError
from tap_analytics.engine.http import answers
from tap_analytics.engine.http.answers import Answer, decode, has_error, judge, reason, translated
from tap_analytics.engine.secrets import Redactor

STATUSES = (418, 429)


def failure(status: int, body: bytes = b"", **headers: str) -> ReadError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(ReadError) as found:
        judge(Answer(status, named, body), STATUSES)
    return found.value


def test_an_answer_has_all_that_a_response_has() -> None:
    answer = Answer(404, {"content-type": "text/plain", "Set-Cookie": "a=b"}, b"\xe9")
    for name, value in vars(requests.Response()).items():
        if name not in {"_content", "_content_consumed", "encoding", "headers", "status_code"}:
            assert getattr(answer, name) == value, name
            assert type(getattr(answer, name)) is type(value), name
    assert (answer.status_code, answer.ok, answer.encoding) == (404, False, "ISO-8859-1")
    assert (answer.text, answer.headers["Content-Type"]) == ("\xe9", "text/plain")
    answer.encoding = "cp1251"
    assert answer.text == "\u0439"
    answer.close()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b"[1.10, 1e308, 3.0]", [Decimal("1.10"), Decimal("1e308"), Decimal("3.0")]),
        (b"[1.8e308, -1e400]", ["1.8e308", "-1e400"]),
        (b"[1e99999999999999999999]", ["1e99999999999999999999"]),
        (b'["\\ud83d", -1e-99999999999999999999]', ["\ud83d", "-1e-99999999999999999999"]),
        (b'["\\ud83d", 1e309]', ["\ud83d", "1e309"]),
        (b"9007199254740993", 2**53 + 1),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b'"\\ud83d"', "\ud83d"),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a":NaN,"b":-Infinity}', {"a": None, "b": None}),
        (b' {"a" : null}\n', {"a": None}),
    ],
)
def test_json_is_decoded_without_losing_a_digit(body: bytes, value: Any) -> None:
    assert decode(body) == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "answered with an empty body (0 bytes)"),
        (b"  <html>", "answered with HTML (8 bytes)"),
        (b'{"a":', "answered with something that is not JSON (5 bytes)"),
        (b"\xff\xfe", "answered with something that is not JSON (2 bytes)"),
        (b"[" * 200_000, "answered with something that is not JSON (200000 bytes)"),
    ],
    ids=["empty", "html", "cut", "binary", "deep"],
)
def test_other_bodies_are_not(body: bytes, said: str) -> None:
    with pytest.raises(TransientError) as found:
        decode(body)
    assert str(found.value) == said
    assert (found.value.throttled, found.value.wait) == (False, None)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_good_answers_pass_with_their_body(status: int) -> None:
    answer = Answer(status, {}, b"[1.50]")
    judge(answer, STATUSES)
    assert answer.json() == [Decimal("1.50")]
    assert answer.json() is answer.json()


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Thu, 01 Jan 1970 00:00:02 GMT", 2_000_000),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777_000_000),
        ("Sun Nov  6 08:49:37 1994", 784_111_777_000_000),
        ("Sun, 06 Nov 1994 09:49:37 +0100", 784_111_777_000_000),
        ("", None),
        ("now", None),
        ("Sun, 40 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_answers_tell_the_time_of_the_server(date: str, at: int | None) -> None:
    assert Answer(200, {"Date": date}, b"").served_at == at


def test_answers_need_not_tell_the_time() -> None:
    assert Answer(200, {}, b"").served_at is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, ReadError),
        (304, ReadError),
        (400, ReadError),
        (401, Denied),
        (402, Denied),
        (403, Denied),
        (404, Gone),
        (405, ReadError),
        (408, TransientError),
        (410, Gone),
        (418, TransientError),
        (420, ReadError),
        (425, TransientError),
        (429, TransientError),
        (499, ReadError),
        (500, TransientError),
        (599, TransientError),
        (100, ReadError),
    ],
)
def test_other_answers_are_failures(status: int, kind: type[ReadError]) -> None:
    found = failure(status)
    assert type(found) is kind
    assert str(found) == f"answered {status}"


@pytest.mark.parametrize("status", [202, 206])
def test_what_is_not_all_of_the_answer_is_asked_for_again(status: int) -> None:
    found = failure(status, b'{"data": []}', Retry_After="2")
    assert isinstance(found, TransientError)
    assert found.wait == 2
    assert str(found) == f"answered {status}, which does not bring all that was asked for"


@pytest.mark.parametrize(
    ("status", "throttled"), [(429, True), (418, False), (500, False), (503, False)]
)
def test_some_failures_ask_to_slow_down(status: int, *, throttled: bool) -> None:
    found = failure(status)
    assert isinstance(found, TransientError)
    assert (found.throttled, found.wait) == (throttled, None)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("-7", None),
        ("7.5", 7.5),
        (".5", 0.5),
        ("7.", 7.0),
        ("1e3", None),
        ("7,5", None),
        ("inf", None),
        ("soon", None),
        ("\u0667", None),
    ],
)
def test_waits_are_told_in_seconds(text: str, wait: float | None) -> None:
    found = failure(503, Retry_After=text)
    assert isinstance(found, TransientError)
    assert (found.throttled, found.wait) == (wait is not None, wait)


@pytest.mark.parametrize(("ahead", "wait"), [(100, 100), (-100, 0)])
def test_waits_are_told_as_dates(ahead: int, wait: int) -> None:
    found = failure(429, Retry_After=formatdate(time.time() + ahead, usegmt=True))
    assert isinstance(found, TransientError)
    assert found.wait == pytest.approx(wait, abs=5)


@pytest.mark.parametrize("hours", [-3, 0, 5])
def test_waits_are_measured_on_the_servers_clock(hours: int) -> None:
    now = time.time() + 3600 * hours
    dates = {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + 30, usegmt=True)}
    with pytest.raises(TransientError) as found:
        judge(Answer(503, dates, b""), STATUSES)
    assert found.value.wait == 30


def test_a_refusal_for_a_while_is_waited_for() -> None:
    found = failure(403, Retry_After="2.5")
    assert isinstance(found, TransientError)
    assert (found.throttled, found.wait) == (True, 2.5)
    assert type(failure(401, Retry_After="2.5")) is Denied


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Gone),
        (b" \r\n", Gone),
        (b'{"message":"none"}', Gone),
        (b"[]", Gone),
        (b'"no"', Gone),
        (b"<!doctype html><html></html>", ReadError),
        (b"404 page not found", ReadError),
        (b'{"message":', ReadError),
    ],
)
def test_only_the_api_itself_says_what_is_gone(
    status: int, body: bytes, kind: type[ReadError]
) -> None:
    assert type(failure(status, body)) is kind


@pytest.mark.parametrize(
    ("body", "errs"),
    [
        ({"error": "no"}, True),
        ({"errors": [{"code": 1}], "data": []}, True),
        ({"error": None, "errors": [], "data": []}, False),
        ({"error": ""}, False),
        ({"success": False, "data": []}, True),
        ({"ok": False}, True),
        ({"success": True, "ok": None, "data": []}, False),
        ({"success": 0}, False),
        ({"data": [{"error": "of a row"}]}, False),
        ([{"error": "of a row"}], False),
        (None, False),
    ],
    ids=repr,
)
def test_a_good_status_may_bring_an_error(body: Any, *, errs: bool) -> None:
    assert has_error(body) is errs


def test_secrets_are_hidden_before_texts_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    hiding = Redactor()
    hiding.add(["canary-of-thirty-characters-xx"])
    monkeypatch.setattr(answers, "redactor", hiding)
    said = reason({"message": "x" * 180 + "canary-of-thirty-characters-xx" + "y" * 90})
    assert said == ": " + "x" * 180 + "***" + "y" * 17


@pytest.mark.parametrize("status", [400, 401, 403])
def test_tokens_that_have_expired_are_refused(status: int) -> None:
    found = failure(status, b'{"error":"invalid_token"}')
    assert type(found) is Denied
    assert str(found) == (f"answered {status}: invalid_token (the token is invalid or has expired)")


@pytest.mark.parametrize("status", [404, 500])
def test_other_failures_are_not_about_tokens(status: int) -> None:
    assert type(failure(status, b'{"error":"invalid_token"}')) is not Denied


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "no"}, ": no"),
        ({"error": "no"}, ": no"),
        ({"errors": ["a", "b"]}, ': ["a", "b"]'),
        ({"error_description": {"a": Decimal("1.5")}}, ': {"a": "1.5"}'),
        ({"message": "", "error": "no"}, ": no"),
        ({"message": "x" * 300}, ": " + "x" * 200),
        ({}, ""),
        ([], ""),
        (None, ""),
    ],
    ids=repr,
)
def test_reasons_are_short(body: Any, said: str) -> None:
    assert reason(body) == said


def test_bodies_that_are_not_json_say_nothing() -> None:
    assert str(failure(500, b"<html>a-key</html>")) == "answered 500"
    assert str(failure(400, b'{"message":"bad page"}')) == "answered 400: bad page"


def test_an_answer_is_a_response_as_hooks_of_the_sdk_expect_it() -> None:
    answer = Answer(201, {"content-type": "text/csv; charset=latin-1"}, b"a;\xe4\nb;1.5\n")
    assert isinstance(answer, requests.Response)
    assert (answer.ok, answer.status_code, answer.headers["Content-Type"][:8]) == (
        True,
        201,
        "text/csv",
    )
    assert (answer.text, list(answer.iter_lines())) == ("a;ä\nb;1.5\n", [b"a;\xe4", b"b;1.5"])
    assert b"".join(answer.iter_content(3)) == answer.content
    with pytest.raises(ValueError, match="not JSON"):
        answer.json()
    assert Answer(200, {}, b"[1.5]").json(parse_float=str) == ["1.5"]
    assert Answer.of(answer) is answer


def test_any_response_can_be_an_answer() -> None:
    response = requests.Response()
    response.status_code, response._content = 503, b'{"error": "busy"}'
    response.headers["Retry-After"] = "7"
    with pytest.raises(TransientError, match="answered 503: busy") as found:
        judge(Answer.of(response))
    assert found.value.wait == 7


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (200, FatalAPIError("no"), ReadError),
        (200, RetriableAPIError("no"), TransientError),
        (400, RetriableAPIError("no"), TransientError),
        (402, FatalAPIError("no"), Denied),
        (403, FatalAPIError("no"), Denied),
        (404, FatalAPIError("no"), Gone),
        (404, RetriableAPIError("no"), TransientError),
        (429, RetriableAPIError("no"), TransientError),
        (429, FatalAPIError("no"), ReadError),
        (503, FatalAPIError("no"), ReadError),
    ],
)
def test_what_hooks_raise_in_the_sdks_words_is_said_in_ours(
    status: int, error: FatalAPIError | RetriableAPIError, kind: type[ReadError]
) -> None:
    headers = {"Retry-After": "3"} if status > 404 else {}
    failure = translated(error, Answer(status, headers, b""))
    assert (type(failure), str(failure), failure.status) == (kind, "no", status)
    if isinstance(failure, TransientError) and status > 404:
        assert (failure.throttled, failure.wait) == (True, 3)
