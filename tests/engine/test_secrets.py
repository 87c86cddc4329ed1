"""Secrets stay out of everything that is written."""

from __future__ import annotations

import base64
import logging
import sys
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.secrets import Redactor

SECRET = "k~ey/+ =&'\u00e9\\~~~???"


@pytest.fixture
def hiding() -> Redactor:
    redactor = Redactor()
    redactor.add([SECRET, "another"])
    return redactor


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        repr(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        "another",
    ],
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
    assert hiding.filter(record) is True
    assert record.getMessage() == "a *** b 5"
    assert (record.args, record.exc_info, record.exc_text) == (None, None, None)


def test_log_records_without_secrets_keep_their_fields(hiding: Redactor) -> None:
    record = logging.LogRecord("n", 20, "p", 1, "METRIC: %s", ({"value": 5},), None)
    assert hiding.filter(record) is True
    assert (record.msg, record.args) == ("METRIC: %s", {"value": 5})


def test_tracebacks_are_cleaned(hiding: Redactor) -> None:
    try:
        int(SECRET + "another")
    except ValueError:
        record = logging.LogRecord("n", 20, "p", 1, "m", None, sys.exc_info())
    assert hiding.filter(record)
    assert record.exc_info is None
    assert record.exc_text is not None
    assert record.exc_text.splitlines()[-1].count("***") == 2
    assert logging.Formatter().format(record).startswith("m\nTraceback")
    assert "another" not in logging.Formatter().format(record)
