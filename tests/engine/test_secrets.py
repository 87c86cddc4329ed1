"""Secrets stay out of everything that is written."""

from __future__ import annotations

import base64
import html
import json
import logging
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.secrets import Redactor, _proxy_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERS = ("", "u", "us", "use", "user:", "a@b.example/token:")
SECRET = "k~ey/+ =&'\u00e9\\~~~???"


@pytest.fixture
def hiding() -> Redactor:
    redactor = Redactor()
    redactor.add([SECRET, "another"])
    return redactor


@pytest.mark.parametrize(
    "form",
    sorted(
        {
            SECRET,
            quote(SECRET, safe=""),
            quote_plus(SECRET),
            repr(SECRET)[1:-1],
            base64.b64encode(SECRET.encode()).decode(),
            base64.b64encode(SECRET.encode()).decode().rstrip("="),
            base64.urlsafe_b64encode(SECRET.encode()).decode(),
            *(base64.b64encode(before.encode() + SECRET.encode()).decode() for before in USERS),
            *(base64.b64encode(f"{before}:{SECRET}:tail".encode()).decode() for before in USERS),
            quote(base64.b64encode(SECRET.encode()).decode(), safe=""),
            json.dumps(SECRET)[1:-1],
            json.dumps(SECRET, ensure_ascii=False)[1:-1],
            json.dumps(json.dumps(SECRET))[3:-3],
            json.dumps(SECRET)[1:-1].replace("/", "\\/"),
            html.escape(SECRET),
            html.escape(SECRET, quote=False),
            "".join(f"&#{ord(char)};" if not char.isalnum() else char for char in SECRET),
            "".join(f"&#x{ord(char):X};" if not char.isalnum() else char for char in SECRET),
            quote(SECRET, safe="").lower(),
            quote(quote(SECRET, safe=""), safe=""),
            quote(SECRET, safe="~/+=&"),
            repr(SECRET.encode())[2:-1],
            SECRET.upper(),
            SECRET.encode().hex(),
            "another",
            "ANOTHER",
        }
    ),
    ids=ascii,
)
def test_secrets_are_hidden_in_every_form(hiding: Redactor, form: str) -> None:
    assert hiding.clean(f"<{form}> and {form}!") == "<***> and ***!"


def test_longer_forms_are_hidden_first() -> None:
    redactor = Redactor()
    redactor.add(["abcd"])
    redactor.add(["abcdefgh"])
    assert redactor.clean("abcdefgh abcd") == "*** ***"


def test_secrets_too_short_to_be_told_from_words_are_not_hidden() -> None:
    redactor = Redactor()
    redactor.add(["abc", "", "wxyz"])
    assert redactor.clean("abc wxyz") == "abc ***"


def test_without_secrets_texts_stay() -> None:
    assert Redactor().clean("nothing to hide: http://host/path") == (
        "nothing to hide: http://host/path"
    )


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("http://user:word@host/x", "http://***@host/x"),
        ("https://token@host", "https://***@host"),
        ("http://a:b@c and http://d@e", "http://***@c and http://***@e"),
        ("http://host/a@b", "http://host/a@b"),
        ("http://user:pa/ss@w@host:80/x", "http://***@host:80/x"),
        ("at http://u:p@ss/w@[::1]:80", "at http://***@[::1]:80"),
        ("mail a@b.example", "mail a@b.example"),
    ],
)
def test_user_info_is_hidden(text: str, clean: str) -> None:
    assert Redactor().clean(text) == clean


@given(st.text(min_size=4), st.text(), st.text())
def test_no_text_shows_a_secret(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.add([secret])
    clean = redactor.clean(before + secret + after)
    assert secret not in clean or set(secret) <= set("*@")


def test_half_characters_can_be_secret() -> None:
    redactor = Redactor()
    redactor.add(["abc\ud800x"])
    assert redactor.clean("abc\ud800x") == "***"


def test_log_records_are_cleaned(hiding: Redactor) -> None:
    record = logging.LogRecord("n", 20, "p", 1, "a %s b %d", ("another", 5), None)
    assert hiding.clean_record(record) is record
    assert record.getMessage() == "a *** b 5"
    assert (record.args, record.exc_info, record.exc_text) == (None, None, None)


def test_log_records_without_secrets_keep_their_fields(hiding: Redactor) -> None:
    record = logging.LogRecord("n", 20, "p", 1, "METRIC: %s", ({"value": 5},), None)
    assert hiding.clean_record(record) is record
    assert (record.msg, record.args) == ("METRIC: %s", {"value": 5})


def test_tracebacks_are_cleaned(hiding: Redactor) -> None:
    try:
        int(SECRET + "another")
    except ValueError:
        record = logging.LogRecord("n", 20, "p", 1, "m", None, sys.exc_info())
    hiding.clean_record(record)
    assert record.exc_info is None
    assert record.exc_text is not None
    assert record.exc_text.splitlines()[-1].count("***") == 2
    assert logging.Formatter().format(record).startswith("m\nTraceback")
    assert "another" not in logging.Formatter().format(record)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redactor]:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pa/ss@word@proxy.example:80")
    before = logging.getLogRecordFactory()
    redactor = Redactor()
    redactor.add([SECRET])
    redactor.guard()
    redactor.guard()
    yield redactor
    logging.setLogRecordFactory(before)


def test_every_handler_of_every_logger_gets_clean_records(
    guarded: Redactor, tmp_path: Path
) -> None:
    file = logging.FileHandler(tmp_path / "log")
    logger = logging.getLogger("tap-analytics.some.child")
    logger.addHandler(file)
    try:
        logger.error("a %s", SECRET)
        logger.error("a proxy %s", "http://user:pa/ss@word@proxy.example:80")
        try:
            int(SECRET)
        except ValueError:
            logger.exception("b %s", "pa/ss@word")
        logger.error("too few %s %s", SECRET)  # noqa: PLE1206
    finally:
        logger.removeHandler(file)
        file.close()
    text = (tmp_path / "log").read_text()
    assert SECRET not in text
    assert repr(SECRET)[1:-1] not in text
    assert "pa/ss" not in text
    assert "Traceback" in text
    assert text.count("***") >= 4
    assert guarded.clean("pa/ss@word") == "***"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_passwords_of_proxies_are_secrets_however_they_are_written(name: str) -> None:
    found = set(_proxy_credentials({name: "http://us:p%40ss/w0rd@proxy.example:3128"}))
    assert found == {"us:p%40ss/w0rd", "p%40ss/w0rd", "us:p@ss/w0rd", "p@ss/w0rd"}
    assert not set(_proxy_credentials({"NO_PROXY": "a@b", name: "http://proxy.example:3128"}))
