"""Access tokens are renewed once for all threads, and a refused renewal is said as such."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.errors import Denied
from tap_analytics.engine.http.auth import Grant, OAuth
from tap_analytics.engine.http.budget import Budget
from tap_analytics.engine.http.client import Client
from tap_analytics.engine.output.report import Tally
from tap_analytics.engine.secrets import redactor
from tests.engine.http.test_client import patience
from tests.helpers.serving import serving

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
        self.busy = 0
        self.deaf = False
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                carried = self.headers["Authorization"]
                with outer.lock:
                    outer.lists.append(carried)
                    is_good = carried == f"Bearer {outer.good}" and not outer.deaf
                self.answer(200 if is_good else 401, {"data": []} if is_good else {"error": "no"})

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                fields = parse_qs(self.rfile.read(size).decode())
                with outer.lock:
                    if outer.busy:
                        outer.busy -= 1
                        self.answer(429, {"error": "slow down"})
                        return
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
    with serving(made.server):
        yield made


class Asking:
    def __init__(
        self, issuer: Issuer, token: str | None = None, concurrency: int = 8, **parts: Any
    ) -> None:
        values = {"client_secret": "secret", "refresh_token": "renewer-0", **parts}
        grant = Grant(f"{issuer.url}/oauth2/token", "id", settings="'a_refresh_token'", **values)
        self.url = issuer.url
        self.tally = Tally("s", "api")
        self.auth = OAuth(grant, token)
        self.budget = Budget((), concurrency)
        self.client = Client(issuer.url, self.budget, patience(), 8)

    def __call__(self) -> Any:
        request = HTTPRequest(url=f"{self.url}/list", headers={"Accept": "a/b"})
        return self.client.fetch(request, lambda answer: answer.json(), self.tally, auth=self.auth)


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
        ask = Asking(issuer, "old", 8, **parts)
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


def test_every_request_for_a_token_is_one_of_the_budget(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Asking(issuer, "old", concurrency=1)
    taken = []
    acquire = ask.budget.acquire

    def counted(*given: Any) -> Any:
        taken.append(len(issuer.lists) + len(issuer.grants))
        return acquire(*given)

    monkeypatch.setattr(ask.budget, "acquire", counted)
    assert ask() == {"data": []}
    assert taken == [0, 1, 2]
    assert (ask.tally.requests, ask.tally.retries, ask.budget._in_flight) == (3, 0, 0)
    ask.client.close()


def test_a_token_that_is_refused_for_now_is_asked_for_again(issuer: Issuer) -> None:
    issuer.busy = 2
    ask = Asking(issuer)
    assert ask() == {"data": []}
    assert (ask.tally.requests, ask.tally.retries) == (4, 2)
    ask.client.close()


def test_a_refused_application_does_not_ask_again(issuer: Issuer) -> None:
    ask = Asking(issuer, "old", client_secret="wrong")
    for _ in range(3):
        with pytest.raises(Denied, match="no access token was granted"):
            ask()
    assert len(issuer.grants) == 1
    ask.client.close()


def test_a_token_that_is_refused_even_when_new_is_a_refusal(issuer: Issuer) -> None:
    ask = Asking(issuer, "old")
    ask()
    issuer.lists.clear()
    issuer.deaf = True
    with pytest.raises(Denied, match="answered 401: no"):
        ask()
    assert issuer.lists == ["Bearer token-1", "Bearer token-2"]
    ask.client.close()


def test_all_streams_of_an_account_share_their_tokens() -> None:
    def shared(**parts: Any) -> OAuth:
        values = {"client_secret": "s", "refresh_token": "r", "settings": "x", **parts}
        return OAuth.shared(Grant("https://api.example", "id", **values), "token")

    assert shared() is shared()
    assert shared() is not shared(refresh_token="another")


def test_authenticators_of_the_sdk_are_taken_too(issuer: Issuer) -> None:
    ask = Asking(issuer)
    issuer.good = "token"
    request = HTTPRequest(url=f"{ask.url}/list", headers={"Authorization": "ours"})
    auth = BearerTokenAuthenticator(token="token")
    ask.client.fetch(request, lambda answer: answer.json(), ask.tally, auth=auth)
    assert issuer.lists == ["Bearer token"]
    ask.client.close()


def test_what_an_authenticator_of_the_sdk_cannot_do_is_a_refusal(issuer: Issuer) -> None:
    def fail(_: Any) -> Any:
        message = "Failed OAuth login"
        raise RuntimeError(message)

    ask = Asking(issuer)
    request = HTTPRequest(url=f"{ask.url}/list")
    with pytest.raises(Denied, match="Failed OAuth login"):
        ask.client.fetch(request, lambda answer: answer.json(), ask.tally, auth=fail)
    ask.client.close()
