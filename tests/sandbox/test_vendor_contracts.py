"""What the vendors' servers promise, as the sandbox keeps it, seen from outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tap_analytics
from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.contracts import APIS, UPSTREAMS
from tests.helpers.vendors import NAMES

from .vendors import FRESHSALES, ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .vendors import Vendors

ROOT = Path(tap_analytics.__file__).parents[1]
REFUSALS = {
    "workforce": {"errors", "message"},
    "status_page": {"error"},
    "experimentation": {"status", "message"},
    "sales": {"login", "message"},
    "esignature": {"error", "code", "message"},
}


def test_there_is_a_vendor_for_every_api() -> None:
    assert [api.name for api in UPSTREAMS] == [api.name for api in APIS]
    assert {api.upstream for api in UPSTREAMS} == {
        "factorial",
        "statuspage",
        "statsig",
        "freshsales",
        "signnow",
    }
    documented = {route.stream for api in APIS for route in api.routes}
    assert documented <= set(ROUTES)
    assert {name for name in ROUTES if not name.startswith("recycled_")} <= set(NAMES)


def test_settings_name_the_vendors(vendors: Vendors) -> None:
    config = vendors.sandbox.config()
    for api in UPSTREAMS:
        assert config[f"{api.name}_upstream"] == api.upstream
        assert config[f"{api.name}_base_url"] == vendors.sandbox.base_url
        assert config[f"{api.name}_requests_per_second"] > 1000
    with Sandbox() as sandbox:
        assert not [name for name in sandbox.config() if name.endswith("_upstream")]


@pytest.mark.parametrize("stream", ROUTES)
def test_every_path_wants_its_key(vendors: Vendors, stream: str) -> None:
    api, route = ROUTES[stream]
    url = vendors.sandbox.base_url + vendors.first(stream)
    value = next(iter(vendors.headers(api.name).values()))
    for headers in ({}, {"Authorization": "Bearer no"}, {"api_key": value.split()[-1]}):
        response = vendors.session.get(url, headers=headers, timeout=10)
        assert response.status_code == api.unauthorized
        assert set(response.json()) == REFUSALS[api.name]
    if route.authorization is None:
        path, needed = vendors.first(stream), vendors.needed(stream)
        assert vendors.get(api.name, path, **needed).status_code == 200


def test_signing_links_want_the_token_of_the_application(vendors: Vendors) -> None:
    path = "/v2/application/signing-links"
    assert vendors.get("esignature", path).json()["error"] == "invalid_token"
    token = vendors.sandbox.config()["esignature_auth_token"]
    response = vendors.session.get(
        vendors.sandbox.base_url + path, headers={"Authorization": f"Basic {token}"}, timeout=10
    )
    assert len(response.json()["data"]) == 15


@pytest.mark.parametrize("stream", [s for s in ROUTES if s != "signing_links"])
def test_unknown_parameters_are_refused(vendors: Vendors, stream: str) -> None:
    api, route = ROUTES[stream]
    path, needed = vendors.first(stream), vendors.needed(stream)
    assert vendors.get(api.name, path, **needed).status_code == 200
    for name in ("page", "limit", "per_page", "offset", "after", "api_key"):
        if name not in route.paging.params:
            response = vendors.get(api.name, path, **needed, **{name: "1"})
            assert response.status_code == 400, name
            assert f"unknown parameter: {name}" in response.text


@pytest.mark.parametrize("stream", [s for s in ROUTES if ROUTES[s][1].needs or ROUTES[s][1].dates])
def test_required_parameters(vendors: Vendors, stream: str) -> None:
    api, _ = ROUTES[stream]
    path, needed = vendors.first(stream), vendors.needed(stream)
    for name in needed:
        without = {key: value for key, value in needed.items() if key != name}
        assert vendors.get(api.name, path, **without).status_code == 400
        assert vendors.get(api.name, path, **needed | {name: "odd"}).status_code == 400


@pytest.mark.parametrize("stream", [s for s in ROUTES if "{" in ROUTES[s][1].path])
def test_unknown_parents(vendors: Vendors, stream: str) -> None:
    api, route = ROUTES[stream]
    for odd in ("0", "000000000000", "no"):
        path = re.sub(r"{\w+}", odd, api.prefixes[0] + route.path)
        assert vendors.get(api.name, path).status_code == 404


@pytest.mark.parametrize("path", ["/v1/tasks/tasks", "/v1/gates", "/v1/contacts", "/v1/resource"])
def test_the_documented_paths_are_gone(vendors: Vendors, path: str) -> None:
    assert vendors.session.get(vendors.sandbox.base_url + path, timeout=10).status_code == 404


def test_what_was_refused_is_remembered(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=1)
    vendors.body("esignature", "/user")
    assert not vendors.sandbox.refused
    vendors.get("esignature", "/nothing")
    vendors.get("sales", f"{FRESHSALES}/tasks")
    assert [(r.path, r.stream) for r in vendors.sandbox.refused] == [
        ("/nothing", ""),
        (f"{FRESHSALES}/tasks", "open_tasks"),
    ]


def test_ids_lead_back_to_their_rows(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=10**5)
    store = vendors.sandbox.store
    for api, stream, child in (
        ("status_page", "pages", "status_page_components"),
        ("esignature", "esignature_teams", "esignature_team_admins"),
    ):
        rows = store.rows(api, stream)
        found = [next(rows)["id"] for _ in range(200)]
        assert len(set(found)) == 200
        _, route = ROUTES[child]
        assert [store.parent(route, key) for key in found] == list(range(200))
        assert store.parent(route, "f" * len(found[0])) is None


def test_the_command_line_speaks_as_the_vendors_too() -> None:
    """The settings go through the environment, where all of them are text."""
    sandbox = (sys.executable, "-m", "tap_analytics.sandbox", "--upstreams", "--records", "2")
    tap = (sys.executable, "-m", "tap_analytics", "--config=ENV")
    run = subprocess.run(  # noqa: S603
        [*sandbox, "--", *tap],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("TAP_ANALYTICS_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.split("\n") if line]
    streams = {line["stream"] for line in lines if line["type"] == "RECORD"}
    assert streams == {name for name in ROUTES if not name.startswith("recycled_")}
