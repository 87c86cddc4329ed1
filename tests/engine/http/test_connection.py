"""Every attempt ends in time, and no answer is taken for another."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.http import space
from tap_analytics.engine.http.policy import RetryPolicy
from tests.engine.doubles import Reply, Server
from tests.engine.http.test_client import Asking, asking, patience
from tests.engine.wire import Line, dead_address, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

ONCE = RetryPolicy(max_retries=0)
TIMEOUT = 0.5
CERTIFICATE = Path(__file__).parent / "self_signed.pem"


def answer(body: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 200 OK\r\n" + length + b"".join(headers) + b"\r\n" + body


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


def ends_in_time(url: str, timeout: float = TIMEOUT) -> str:
    """Return why there is no answer, which must be said in time."""
    ask = Asking(url, patience(ONCE, timeout=timeout))
    started = time.monotonic()
    with pytest.raises(ReadError) as failure:
        ask()
    assert time.monotonic() - started < timeout + 3
    ask.client.close()
    return str(failure.value)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9000\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2000\r\n",
        b"HTTP/1.1 103 Early Hints\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
    ],
)
def test_a_dripping_answer_has_an_end_in_every_mode(head: bytes) -> None:
    def speak(line: Line) -> None:
        line.ask()
        line.say(head)
        line.drip(b"x" * 8000 if head else b"HTTP/1.1 200 " + b"x" * 8000)

    with speaking(speak) as (port, _):
        said = ends_in_time(f"http://127.0.0.1:{port}")
    assert said == "no complete answer within 0.5 s (attempt 1, the last)"


def test_interim_answers_without_end_have_one() -> None:
    def speak(line: Line) -> None:
        line.ask()
        while not line.is_over():
            line.say(b"HTTP/1.1 102 Processing\r\n\r\n")
            time.sleep(0.01)

    with speaking(speak) as (port, _):
        assert ends_in_time(f"http://127.0.0.1:{port}").startswith("no complete answer within")


def test_a_dripping_proxy_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(line: Line) -> None:
        line.ask()
        line.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000)

    with speaking(speak) as (port, _):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert ends_in_time("https://api.example").startswith("no complete answer within")


@pytest.mark.parametrize("record", [b"\x16\x03\x03\x40\x00", b""], ids=["drips", "silent"])
def test_a_handshake_has_an_end(record: bytes) -> None:
    def speak(line: Line) -> None:
        line.say(record)
        if record:
            line.drip(b"\x02" * 8000)
        line.hang()

    with speaking(speak) as (port, _):
        said = ends_in_time(f"https://127.0.0.1:{port}", 2)
    assert said.startswith("no complete answer within")


def test_a_look_up_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def look_up(*_: Any) -> list[Any]:
        over.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert ends_in_time("http://api.example") == (
        "cannot find host api.example in time (attempt 1, the last)"
    )
    over.set()


def resolved(ports: list[int]) -> Callable[..., list[Any]]:
    def look_up(*_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", at)) for at in ports]

    return look_up


def test_dead_addresses_share_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with dead_address() as port:
        monkeypatch.setattr(socket, "getaddrinfo", resolved([port] * 6))
        assert ends_in_time("http://api.example:81") == (
            "cannot reach api.example:81 in time (attempt 1, the last)"
        )


def test_a_dead_address_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with dead_address() as dead, Server(Reply(body=b'{"a":1}')).running() as server:
        alive = int(server.url.rpartition(":")[2])
        monkeypatch.setattr(socket, "getaddrinfo", resolved([dead, alive]))
        ask = Asking("http://api.example", patience(ONCE, timeout=2))
        assert ask() == ({"a": 1}, 7)
        ask.client.close()


def test_interim_answers_are_not_the_answer() -> None:
    interim = [b"100 Continue", b"102 Processing", b"103 Early Hints", b"199 Soon"]

    def speak(line: Line) -> None:
        number = 0
        while line.ask():
            number += 1
            for what in interim:
                line.say(b"HTTP/1.1 ", what, b"\r\nLink: </a>; rel=preload\r\n\r\n")
                time.sleep(0.01)
            line.say(answer(b'{"n":%d}' % number))

    with speaking(speak) as (port, lines):
        ask = Asking(f"http://127.0.0.1:{port}", patience(ONCE))
        assert [ask()[0] for _ in range(3)] == [{"n": 1}, {"n": 2}, {"n": 3}]
        assert len(lines) == 1
        ask.client.close()


def test_an_upgrade_nobody_asked_for_ends_the_connection() -> None:
    def speak(line: Line) -> None:
        line.ask()
        line.say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
        line.hang()

    with speaking(speak) as (port, lines):
        for _ in range(2):
            assert ends_in_time(f"http://127.0.0.1:{port}") == "answered 101"
        assert len(lines) == 2


@pytest.mark.parametrize(
    "surplus",
    [
        answer(b'{"n":"another"}'),
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"\r\n",
        b"}",
    ],
    ids=["answer", "half", "line", "byte"],
)
@pytest.mark.parametrize("body", [b'{"n":1}', b"{}" + b" " * 70_000], ids=["short", "long"])
def test_what_comes_beyond_an_answer_serves_no_request(surplus: bytes, body: bytes) -> None:
    def speak(line: Line) -> None:
        while line.ask():
            line.say(answer(body), surplus)

    with speaking(speak) as (port, lines):
        ask = Asking(f"http://127.0.0.1:{port}", patience(ONCE))
        bodies = [ask()[1] for _ in range(3)]
        ask.client.close()
    assert bodies == [len(body)] * 3
    assert len(lines) == 3


def test_what_comes_late_serves_no_request() -> None:
    def speak(line: Line) -> None:
        while line.ask():
            line.say(answer(b'{"n":1}'))
            time.sleep(0.05)
            line.say(answer(b'{"n":2}'))

    with speaking(speak) as (port, _):
        ask = Asking(f"http://127.0.0.1:{port}", patience(ONCE))
        for _ in range(3):
            assert ask()[0] == {"n": 1}
            time.sleep(0.15)
        ask.client.close()


def test_a_body_given_up_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LARGEST", 100)

    def speak(line: Line) -> None:
        while line.ask():
            line.say(answer(b'{"n":"' + b"x" * 200 + b'"}'))

    with speaking(speak) as (port, lines):
        ask = Asking(f"http://127.0.0.1:{port}", patience(ONCE))
        for _ in range(2):
            with pytest.raises(ReadError, match="more than"):
                ask()
        ask.client.close()
    assert len(lines) == 2


def test_a_host_that_is_not_found_is_named(caplog: pytest.LogCaptureFixture) -> None:
    ask = Asking("http://nowhere.invalid", patience(ONCE))
    for _ in range(3):
        with pytest.raises(ReadError, match=r"^cannot find host nowhere\.invalid: \w.* \(att"):
            ask()
    ask.client.close()
    assert [record.getMessage()[:16] for record in caplog.records] == ["cannot find host"]


@pytest.mark.usefixtures("no_proxy")
def test_a_certificate_that_is_not_trusted_is_named() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    def speak(line: Line) -> None:
        context.wrap_socket(line.sock, server_side=True)

    with speaking(speak) as (port, _):
        assert ends_in_time(f"https://localhost:{port}") == (
            "certificate of localhost is not trusted: self-signed certificate (attempt 1, the last)"
        )


@pytest.mark.usefixtures("no_proxy")
def test_a_server_without_encryption_is_named() -> None:
    def speak(line: Line) -> None:
        line.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        line.hang()

    with speaking(speak) as (port, _):
        said = ends_in_time(f"https://localhost:{port}")
    assert said.startswith("no secure connection with localhost: ")


def test_a_proxy_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setenv("http_proxy", f"http://user:pass@127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert ends_in_time("http://api.example") == (
            f"connection refused by the proxy 127.0.0.1:{port} (attempt 1, the last)"
        )


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(line: Line) -> None:
        line.ask()
        line.say(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with speaking(speak) as (port, _):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.delenv("NO_PROXY", raising=False)
        said = ends_in_time("https://api.example")
    assert said == (
        "the proxy does not let api.example through: Tunnel connection failed: "
        "407 Proxy Authentication Required (attempt 1, the last)"
    )


def test_a_connection_closed_without_an_answer_is_named() -> None:
    def speak(line: Line) -> None:
        line.ask()

    with speaking(speak) as (port, _):
        assert ends_in_time(f"http://127.0.0.1:{port}") == (
            "no answer (the connection was closed without one) (attempt 1, the last)"
        )


def bomb(megabytes: int) -> Reply:
    body = gzip.compress(bytes(megabytes * 1024 * 1024), 9)
    return Reply(body=body, headers={"Content-Encoding": "gzip"})


def together(ask: Asking, count: int) -> list[Any]:
    """Ask at the same time; return what was read, or why nothing was."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(ask()[1])
        except ReadError as error:
            results.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_answers_under_way_share_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LARGEST", 8 * 1024**2)
    monkeypatch.setattr(space, "SMALL", 64 * 1024)
    with asking(bomb(64), given=patience(ONCE, timeout=60), concurrency=8) as (ask, _):
        ask.budget._pace.in_flight = 8
        tracemalloc.start()
        try:
            results = together(ask, 8)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(results) == 8
    assert all(str(said).startswith("answered with more than 8 MB, which") for said in results)
    assert peak < 24 * 1024**2


def test_large_answers_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "SMALL", 1024)
    body = b'{"a":"' + b"x" * 100_000 + b'"}'
    with asking(Reply(body=body), given=patience(ONCE, timeout=5), concurrency=4) as (ask, _):
        assert together(ask, 4) == [len(body)] * 4
        assert not space._large.locked()


def test_waiting_for_room_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "SMALL", 1024)
    body = b'{"a":"' + b"x" * 100_000 + b'"}'
    with asking(Reply(body=body), given=patience(ONCE, timeout=0.4)) as (ask, _):
        space._large.acquire()
        threading.Timer(1.0, space._large.release).start()
        assert ask()[1] == len(body)


def test_lists_may_be_asked_for_with_a_body() -> None:
    seen: list[bytes] = []

    def speak(line: Line) -> None:
        for status in (b"503 Later", b"200 OK"):
            head = line.ask()
            seen.extend((head, line.sock.recv(100)))
            line.say(b"HTTP/1.1 ", status, b'\r\nContent-Length: 7\r\n\r\n{"a":1}')

    with speaking(speak) as (port, _):
        ask = Asking(f"http://127.0.0.1:{port}", patience(RetryPolicy(factor=0)))
        request = HTTPRequest(
            url=f"{ask.url}/search", method="POST", data={"since": 5}, headers={"X-Key": "k"}
        )
        assert ask.client.fetch(request, lambda got: got.json(), ask.tally) == {"a": 1}
        assert ask.counts == (2, 1)
        ask.client.close()
    assert seen[0] == seen[2]
    assert seen[0].startswith(b"POST /search HTTP/1.1\r\n")
    assert b"Content-Type: application/json\r\n" in seen[0]
    assert seen[1] == seen[3] == b'{"since": 5}'
