"""What the five contracts promise, seen from outside."""

from __future__ import annotations

import statistics
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox.contracts import APIS
from tap_analytics.sandbox.data import moments
from tests.helpers.contract import NAMES

from .client import PAGED, ROUTES

if TYPE_CHECKING:
    from .client import Client


def test_the_documented_streams_have_paths_of_their_own() -> None:
    """All five APIs share one base URL."""
    routes = [route for api in APIS for route in api.routes]
    assert sorted(route.stream for route in routes) == sorted(NAMES)
    assert len({route.path for route in routes}) == len(routes)
    assert len({api.authorization[1] for api in APIS}) == len(APIS)


@pytest.mark.parametrize("stream", ROUTES)
def test_every_path_wants_its_key(shared: Client, stream: str) -> None:
    """No key, a wrong key and another API's key are refused alike."""
    _, route = ROUTES[stream]
    path = route.path.replace("{", "").replace("}", "")
    for headers in ({}, {"api_key": "wrong"}, {"Authorization": "Basic wrong"}):
        response = shared.raw(path, **headers)
        assert response.status_code == 401
        assert "message" in response.text
    assert response.headers["content-type"] == "application/json"


def test_keys_are_not_shared(shared: Client) -> None:
    """One API's key opens no other API, and the list of signing links has a token."""
    key = shared.sandbox.config()["sales_api_key"]
    assert shared.raw("/v1/accounts", api_key=key).status_code == 200
    assert shared.raw("/v1/gates", api_key=key).status_code == 401
    key = shared.sandbox.config()["esignature_api_key_id"]
    assert shared.raw("/v2/crm/contacts", api_key=key).status_code == 200
    assert shared.raw("/v2/application/signing-links", api_key=key).status_code == 401
    token = shared.sandbox.config()["esignature_auth_token"]
    response = shared.raw("/v2/application/signing-links", Authorization=f"Basic {token}")
    assert response.status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/nothing", "/v1/gates/", "/v1/gates/a/b/rules", "/v1/gates//rules", "/user/"],
)
def test_unknown_paths(shared: Client, path: str) -> None:
    """They are not found, key or no key."""
    assert shared.raw(path).status_code == 404


def test_only_get(shared: Client) -> None:
    """Nothing can be written."""
    key = shared.sandbox.config()["sales_api_key"]
    response = shared.raw("/v1/accounts", "POST", api_key=key)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize("stream", ROUTES)
def test_unknown_parameters_are_named(shared: Client, stream: str) -> None:
    """A parameter of another dialect is as unknown as a made-up one."""
    _, route = ROUTES[stream]
    parent = _some_parent(shared, stream)
    for name in ("page", "limit", "per_page", "offset", "date", "filter"):
        if name not in (*route.paging.params, *route.dates):
            response = shared.get(stream, parent, **{name: "1"})
            assert response.status_code == 400
            assert f"unknown parameter: {name}" in response.text


@pytest.mark.parametrize("stream", PAGED)
@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.5", "+1", " 1", "\N{ARABIC-INDIC DIGIT ONE}", "1e3", "9" * 30]
)
def test_malformed_positions_and_sizes(shared: Client, stream: str, text: str) -> None:
    """Both must be whole numbers."""
    for name in ROUTES[stream][1].paging.params:
        response = shared.get(stream, _some_parent(shared, stream), **{name: text})
        assert response.status_code == 400, (name, text)
        assert name in response.text


@pytest.mark.parametrize("stream", PAGED)
def test_limits_of_positions_and_sizes(shared: Client, stream: str) -> None:
    """Pages count from 1, offsets from 0, and a page has 1 to 1000 rows."""
    position, size = ROUTES[stream][1].paging.params
    parent = _some_parent(shared, stream)
    first = 0 if position == "offset" else 1
    for name, value, status in (
        (position, first - 1, 400),
        (position, first, 200),
        (size, 0, 400),
        (size, 1, 200),
        (size, 1000, 200),
        (size, 1001, 400),
    ):
        assert shared.get(stream, parent, **{name: value}).status_code == status, (name, value)


def test_a_parameter_given_twice(shared: Client) -> None:
    """It is refused rather than guessed at."""
    response = shared.get("gates", page=[1, 2])
    assert response.status_code == 400
    assert "page" in response.text


def test_required_days(shared: Client) -> None:
    """They must be there and be days."""
    key = shared.sandbox.config()["experimentation_api_key"]
    for path, name in (
        ("/v1/metrics/values", "date"),
        ("/v1/metrics/values?date=2026-13-01", "date"),
        ("/v1/metrics/values?date=20261001", "date"),
        ("/v1/metrics/values?date=2026-10-01T00:00:00Z", "date"),
        ("/v1/ingestion/status", "startDate"),
        ("/v1/ingestion/status?startDate=2026-01-01", "endDate"),
    ):
        response = shared.raw(path, api_key=key)
        assert response.status_code == 400
        assert f"{name} is required" in response.text
    assert shared.raw("/v1/metrics/values?date=2026-10-01", api_key=key).status_code == 200


def test_ingestion_status_filters_by_day(shared: Client) -> None:
    """Both days are included; what lies outside is not served."""
    rows = list(shared.sandbox.store.rows("experimentation", "ingestion_status"))
    days = sorted(row["timestamp"][:10] for row in rows)
    first, last = days[10], days[30]
    page = shared.page("ingestion_status", startDate=first, endDate=last)
    assert page == [row for row in rows if first <= row["timestamp"][:10] <= last]
    assert 0 < len(page) < len(rows)
    assert shared.page("ingestion_status", startDate="2020-01-01", endDate="2020-12-31") == []


def test_metric_values_of_a_day(shared: Client) -> None:
    """The rows of all days are as many as the list is long, and none carries its day."""
    values = shared.sandbox.store.expected("metrics_values")
    assert len(values) == 53
    day = values[0]["date"]
    assert day == "2026-10-31"
    rows = [{k: v for k, v in row.items() if k != "date"} for row in values if row["date"] == day]
    assert shared.page("metrics_values", day) == rows
    assert shared.page("metrics_values", "2020-01-01") == []
    assert shared.page("metrics_values", "2030-01-01") == []


@pytest.mark.parametrize("stream", [s for s, (_, route) in ROUTES.items() if route.parent])
def test_unknown_parents(shared: Client, stream: str) -> None:
    """Lists below a row that is not there are not found; a parent is one segment of the path."""
    for parent in ("nothing", "gate_99999", "gate_-1", "%", "page"):
        assert shared.get(stream, parent).status_code == 404
    for row in shared.sandbox.store.rows("experimentation", ROUTES[stream][1].parent):
        name = row["name"] if stream == "events_metrics" else row["id"]
        assert shared.get(stream, name).status_code == 200, name


def test_each_vendor_refuses_in_its_own_words(shared: Client) -> None:
    """The bodies of errors differ from API to API."""
    errors = {
        stream: shared.get(stream, nonsense=1).json()
        for stream in ("tasks", "pages", "gates", "accounts", "crm_contacts")
    }
    message = "unknown parameter: nonsense"
    assert errors == {
        "tasks": {"errors": None, "message": message},
        "pages": {"message": message},
        "gates": {"status": 400, "message": message},
        "accounts": {"errors": {"code": 400, "message": [message]}},
        "crm_contacts": {"errors": [{"code": 400, "message": message}]},
    }
    assert shared.raw("/v1/accounts").json()["login"] == "failed"
    assert shared.raw("/user").json()["error"] == "invalid_token"


def test_the_configuration_covers_all_data(shared: Client) -> None:
    """A key and a host for each API, and a start date before everything."""
    config = shared.sandbox.config()
    assert config["start_date"] == "2024-10-31T00:00:00Z"
    assert moments.BEFORE < moments.END - moments.SPAN
    for api in APIS:
        assert config[f"{api.name}_base_url"] == shared.sandbox.base_url
    assert shared.sandbox.base_url == f"http://127.0.0.1:{shared.sandbox.port}"


def test_connections_are_kept_open(shared: Client) -> None:
    """Requests after each other share one connection."""
    connection = HTTPConnection("127.0.0.1", shared.sandbox.port, timeout=10)
    ports = set()
    for _ in range(3):
        connection.request("GET", "/")
        ports.add(connection.sock.getsockname()[1])
        assert connection.getresponse().read()
    connection.close()
    assert len(ports) == 1


def test_answers_are_not_held_back(shared: Client) -> None:
    """A body that follows its headers does not wait for the client to acknowledge them."""
    seconds = []
    for _ in range(9):
        start = time.perf_counter()
        assert len(shared.page("events")) == 53
        seconds.append(time.perf_counter() - start)
    assert statistics.median(seconds) < 0.03


def _some_parent(client: Client, stream: str) -> str:
    _, route = ROUTES[stream]
    if not route.parent:
        return ""
    row = next(client.sandbox.store.rows("experimentation", route.parent))
    return str(row["name"] if route.parent == "events" else row["id"])
