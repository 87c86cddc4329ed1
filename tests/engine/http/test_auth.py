"""Access tokens are renewed once for all threads, and a refused renewal is said as such."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.errors import Denied
from tap_analytics.engine.http.auth import Grant, OAuth
from tap_analytics.engine.http.budget import Budget
from tap_analytics.engine.http.client import Client
from tap_analytics.engine.output.report import Tally
from tap_analytics.engine.secrets import redactor
from tests.engine.http.test_client import patience

if TYPE_CHECKING:
    from collections.abc import Iterator


class Issuer:
    """An API whose tokens die as it likes, and whose refresh tokens work once."""

    def __init__(self) -> None:
        self.good = ""
        self.renewer = "renewer-0"
        self.grants: list[dict[str, list[str]]] = []
        self.lists: list[str] = []
        self.expires_in: int | None = 3600
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                carried = self.headers["Authorization"]
                with outer.lock:
                    outer.lists.append(carried)
                    is_good = carried == f"Bearer {outer.good}"
                self.answer(200 if is_good else 401, {"data": []} if is_good else {"error": "no"})

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                fields = parse_qs(self.rfile.read(size).decode())
                with outer.lock:
                    outer.grants.append(fields)
                    is_basic = self.headers["Authorization"] == "Basic aWQ6c2VjcmV0"
                    if not is_basic or fields.get("refresh_token", [None])[0] not in (
                        outer.renewer,
                        None,
                    ):
                        self.answer(400, {"error": "invalid_grant"})
                        return
                    number = len(outer.grants)
                    outer.good, outer.renewer = f"token-{number}", f"renewer-{number}"
                    body = {"access_token": outer.good, "refresh_token": outer.renewer}
                self.answer(200, {**body, "expires_in": outer.expires_in})

            def answer(self, status: int, body: Any) -> None:
                content = json.dumps(body).encode()
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


class Asking:
    def __init__(self, issuer: Issuer, token: str | None = None, **parts: Any) -> None:
        values = {"client_secret": "secret", "refresh_token": "renewer-0", **parts}
        grant = Grant(f"{issuer.url}/oauth2/token", "id", settings="'a_refresh_token'", **values)
        self.url = issuer.url
        self.tally = Tally("s", "api")
        self.auth = OAuth(grant, token)
        self.client = Client(issuer.url, Budget((), 8), patience(), 8, self.auth)

    def __call__(self) -> Any:
        request = HTTPRequest(url=f"{self.url}/list", headers={"Accept": "a/b"})
        return self.client.fetch(request, lambda answer: answer.json, self.tally)


def test_a_token_is_asked_for_where_none_is_known(issuer: Issuer) -> None:
    ask = Asking(issuer)
    assert [ask(), ask()] == [{"data": []}] * 2
    assert issuer.grants == [{"grant_type": ["refresh_token"], "refresh_token": ["renewer-0"]}]
    assert issuer.lists == ["Bearer token-1"] * 2
    ask.client.close()


def test_a_dead_token_is_renewed_and_its_renewer_used_from_then_on(issuer: Issuer) -> None:
    ask = Asking(issuer, "old")
    ask()
    issuer.good = "another"
    ask()
    assert issuer.lists == ["Bearer old", "Bearer token-1", "Bearer token-1", "Bearer token-2"]
    assert [grant["refresh_token"] for grant in issuer.grants] == [["renewer-0"], ["renewer-1"]]
    assert redactor.clean("token-2 renewer-2") == "*** ***"
    ask.client.close()


def test_all_threads_share_one_renewal(issuer: Issuer) -> None:
    ask = Asking(issuer, "old")
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [{"data": []}] * 8
    assert len(issuer.grants) == 1
    ask.client.close()


def test_a_token_is_renewed_shortly_before_it_expires(issuer: Issuer) -> None:
    ask = Asking(issuer)
    ask()
    assert ask.auth._expires_at is not None
    ask.auth._expires_at -= 3550
    ask()
    assert issuer.lists == ["Bearer token-1", "Bearer token-2"]
    ask.client.close()


@pytest.mark.parametrize("seconds", [None, 0, 90, -5])
def test_tokens_that_tell_no_useful_time_are_kept_until_refused(
    issuer: Issuer, seconds: int | None
) -> None:
    issuer.expires_in = seconds
    ask = Asking(issuer)
    ask()
    ask()
    assert len(issuer.grants) == 1
    ask.client.close()


def test_a_refused_renewal_names_the_settings(issuer: Issuer) -> None:
    for parts in ({"refresh_token": "wrong"}, {"client_secret": "wrong"}):
        ask = Asking(issuer, "old", **parts)
        with pytest.raises(Denied) as failure:
            ask()
        assert str(failure.value) == (
            "no access token was granted: invalid_grant: check 'a_refresh_token'"
        )
        ask.client.close()


def test_an_application_may_ask_for_itself(issuer: Issuer) -> None:
    ask = Asking(issuer, refresh_token=None)
    ask()
    assert issuer.grants == [{"grant_type": ["client_credentials"]}]
    ask.client.close()
