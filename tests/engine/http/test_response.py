"""Heads of answers: read our way where they are usual, and never otherwise than by the library."""

from __future__ import annotations

import http.client
import socket
from functools import partial
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_analytics.engine.http.response import Response

USUAL = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


def begun(make: Any, said: bytes, method: str) -> Any:
    """Return all that a response tells after its head was read, or what was raised."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        with make(ours, method=method) as response:
            try:
                response.begin()
            except http.client.HTTPException as error:
                return type(error), error.args
            head = (response.version, response.status, response.code, response.reason)
            framing = (response.chunked, response.length, response.will_close)
            message = response.headers
            assert message is response.msg
            assert isinstance(message, http.client.HTTPMessage)
            payload = message.is_multipart() or message.get_payload()
            defects = list(map(type, message.defects))
            try:
                body = response.read(1000)
            except http.client.IncompleteRead as error:
                body = error.partial
            return head, framing, message.items(), payload, defects, message.get_unixfrom(), body


ours = partial(Response, ended=lambda _: None)
usual = st.sampled_from(
    [
        ("Content-Length", ": ", "3"),
        ("content-length", ":", "5"),
        ("Transfer-Encoding", ": ", "chunked"),
        ("Connection", ": ", "Close"),
        ("Connection", ": ", "keep-alive"),
        ("Content-Type", ": ", "multipart/mixed"),
        ("Content-Type", ": ", "Message/rfc822"),
        ("Content-Type", ": ", "application/json; charset=utf-8"),
        ("Set-Cookie", ":  ", "a=b ; c"),
        ("Date", ": ", ""),
    ]
)
texts = st.text(st.characters(codec="latin-1"), max_size=6)
names = texts | st.sampled_from(
    ["Content-Length", "Transfer-Encoding", "X_y", "From ", "From me", " folded", "", "Tab\t", "é"]
)
values = texts | st.sampled_from(
    [
        *("-1", "3, 3", "3 ", "+3", "1_0", "3x", "9" * 30, "9" * 5000),
        *("Chunked", "gzip, chunked", "chunked ", "identity"),
        *("a\r\n folded", "a\r\n\tfolded", "tab\tinside", "spaces  ", "bare\rreturn", "bare\nline"),
        *("\x0b\x0c\x1c\x85", "\x7f", "\x00", "é"),
    ]
)
odd = st.tuples(names, st.sampled_from([": ", ":", ":\t", " : ", ""]), values)
starts = st.sampled_from(["HTTP/1.1 200 OK", "HTTP/1.1 404   Not  Found "]) | st.sampled_from(
    [
        *("HTTP/1.1 200 ", "HTTP/1.1 200", "HTTP/1.1 204 Nothing", "HTTP/1.1 304 As before"),
        *("HTTP/1.1 599 \xe9", "HTTP/1.1 600 Strange", "HTTP/1.1 2000 OK", "HTTP/1.1 ²00 OK"),
        *("HTTP/1.0 200 OK", "HTTP/1.2 200 OK", "HTTP/2 200 OK", "http/1.1 200 OK", "ICY 200 OK"),
        *(" HTTP/1.1 200 OK", "HTTP/1.1\t200\tOK", ""),
    ]
)
bodies = st.sampled_from(["", "abc", "abcdef", "2\r\nab\r\n0\r\n\r\n", "3\r\nab", "\r\n"])


def answer(start: str, lines: list[tuple[str, str, str]], end: str, body: str) -> bytes:
    head = (start, *map("".join, lines), "")
    return ("".join(line + end for line in head) + body).encode("latin-1")


answers = st.builds(
    lambda start, usual, odd, end, body: answer(start, usual + odd, end, body),
    starts,
    st.lists(usual, max_size=4),
    st.lists(odd, max_size=2),
    st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r", ""]),
    bodies,
)


@settings(max_examples=500)
@given(answers, st.sampled_from(["GET", "GET", "HEAD"]))
@example(answer("HTTP/1.1 200 OK", [("Content-Length", ": ", "3")] * 99, "\r\n", "abc"), "GET")
@example(answer("HTTP/1.1 200 OK", [("Content-Length", ": ", "3")] * 100, "\r\n", "abc"), "GET")
@example(answer("HTTP/1.1 200 OK", [("Content-Length", ": ", "3, 3")], "\r\n", "abc"), "GET")
@example(answer("HTTP/1.1 200 OK", [("A", ": ", "b" * 70_000)], "\r\n", "abc"), "GET")
def test_a_head_is_what_the_library_makes_of_it(said: bytes, method: str) -> None:
    assert begun(ours, said, method) == begun(http.client.HTTPResponse, said, method)


@pytest.mark.parametrize(
    "said",
    [
        USUAL,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        (
            b"HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nContent-Length: 3\r\nVary: a\r\n"
            b"Vary: b\r\nConnection: close\r\n\r\nabc"
        ),
    ],
)
def test_usual_heads_are_read_our_way(said: bytes) -> None:
    expected = begun(http.client.HTTPResponse, said, "GET")
    with mock.patch.object(http.client, "parse_headers", side_effect=AssertionError):
        assert begun(ours, said, "GET") == expected
