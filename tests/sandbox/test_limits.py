"""Quotas that headers announce, and tokens that die and are renewed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Quota

from .vendors import FACTORIAL, FRESHSALES

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from .vendors import Vendors

FILTERS = f"{FRESHSALES}/deals/filters"


def announced(response: requests.Response) -> dict[str, int]:
    prefix = "x-ratelimit-"
    return {
        name.lower().removeprefix(prefix): int(value)
        for name, value in response.headers.items()
        if name.lower().startswith(prefix)
    }


@pytest.mark.parametrize("epoch", [False, True])
def test_a_quota_is_told_and_kept(open_vendors: Callable[..., Vendors], epoch: bool) -> None:  # noqa: FBT001
    vendors = open_vendors(records=1, quota=Quota(3, 3600, epoch=epoch))
    answers = [vendors.get("sales", FILTERS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    told = [announced(answer) for answer in answers]
    assert [one["remaining"] for one in told] == [2, 1, 0, 0]
    assert {one["limit"] for one in told} == {3}
    now = time.time() if epoch else 0
    assert all(now + 3500 < one["reset"] <= now + 3601 for one in told)
    assert "retry-after" not in answers[-1].headers
    answers = [vendors.get("esignature", "/user") for _ in range(4)]
    assert answers[-1].headers["retry-after"] == "1800"
    silent = [vendors.get("workforce", f"{FACTORIAL}/teams/teams") for _ in range(4)]
    assert [answer.status_code for answer in silent] == [200, 200, 200, 429]
    assert not announced(silent[-1])


def test_a_quota_comes_back(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=1, quota=Quota(1, 0.5))
    assert vendors.get("sales", FILTERS).status_code == 200
    assert vendors.get("sales", FILTERS).status_code == 429
    time.sleep(0.6)
    assert vendors.get("sales", FILTERS).status_code == 200


class Application:
    """Asks SignNow for tokens, and with them."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors
        self._settings = vendors.sandbox.renewal()

    def renew(self, **changed: str) -> requests.Response:
        """Ask for a token, with some of the right words changed."""
        given = {
            "grant_type": "refresh_token",
            **{name.removeprefix("esignature_"): value for name, value in self._settings.items()},
            **changed,
        }
        who = (given.pop("client_id"), given.pop("client_secret"))
        url = self._vendors.sandbox.base_url + "/oauth2/token"
        return self._vendors.session.post(url, data=given, auth=who, timeout=10)

    def status(self, token: Any) -> int:
        """Ask for the user with a token."""
        url = self._vendors.sandbox.base_url + "/user"
        headers = {"Authorization": f"Bearer {token}"}
        return self._vendors.session.get(url, headers=headers, timeout=10).status_code


def test_a_token_dies_after_its_days_and_is_renewed(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=1)
    application = Application(vendors)
    first = vendors.sandbox.config()["esignature_api_key_id"]
    vendors.sandbox.store.advance(29)
    assert application.status(first) == 200
    vendors.sandbox.store.advance(2)
    assert application.status(first) == 400
    renewed = application.renew().json()
    assert renewed["expires_in"] == 30 * 86_400
    assert application.status(renewed["access_token"]) == 200
    again = application.renew(refresh_token=renewed["refresh_token"]).json()
    assert again["access_token"] != renewed["access_token"]
    assert application.status(again["access_token"]) == 200
    # The one of the settings goes on, or a second run could not begin.
    assert application.renew().status_code == 200


def test_a_token_of_seconds(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=1, token_seconds=0.5)
    application = Application(vendors)
    token = application.renew().json()["access_token"]
    assert application.status(token) == 200
    time.sleep(0.6)
    assert application.status(token) == 400


@pytest.mark.parametrize(
    ("changed", "status", "word"),
    [
        ({"client_secret": "no"}, 401, "invalid_client"),
        ({"refresh_token": "no"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_no_token_for_others(
    open_vendors: Callable[..., Vendors], changed: dict[str, str], status: int, word: str
) -> None:
    answer = Application(open_vendors(records=1)).renew(**changed)
    assert (answer.status_code, answer.json()) == (status, {"error": word})
