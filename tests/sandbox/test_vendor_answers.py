"""What each vendor's server answers, as the sandbox does it, seen from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.helpers.comparing import moment

from .vendors import FACTORIAL, FRESHSALES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .vendors import Vendors


def test_factorial_pages(vendors: Vendors) -> None:
    body = vendors.body("workforce", f"{FACTORIAL}/tasks/tasks", page=2, limit=1000)
    assert len(body["data"]) == 30
    meta = body["meta"]
    assert (meta["limit"], meta["total"], meta["has_next_page"]) == (100, 130, False)
    assert vendors.body("workforce", f"{FACTORIAL}/timeoff/policies")["meta"]["limit"] is None


def test_factorial_versions(vendors: Vendors) -> None:
    old, new = (
        vendors.body("workforce", f"/api/{version}/resources/teams/teams", limit=9)["data"]
        for version in ("2026-04-01", "2026-07-01")
    )
    assert [row["id"] for row in new] == [str(row["id"]) for row in old]
    assert {type(row["id"]) for row in old} == {int}
    assert {type(inner) for row in new for inner in row["employee_ids"] or ()} == {str}
    path = "/api/v2/resources/api_public/credentials"
    assert vendors.body("workforce", path)["data"][0]["id"] == "credential-000000"


def test_factorial_has_odd_empty_lists(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=0)
    assert vendors.body("workforce", f"{FACTORIAL}/finance/cost_centers") == {"errors": None}
    assert vendors.body("workforce", f"{FACTORIAL}/teams/teams")["data"] == []


def test_factorial_filters(vendors: Vendors) -> None:
    path = f"{FACTORIAL}/timeoff/leaves"
    shown = vendors.body("workforce", path)["meta"]["total"]
    every = vendors.body("workforce", path, include_deleted_leaves="true")["meta"]["total"]
    assert 0 < shown < every == 130
    path = f"{FACTORIAL}/employees/employees"
    rows = vendors.body("workforce", path, updated_at_gteq="2026-01-01", only_active="true")
    assert 0 < rows["meta"]["total"] < 130
    assert {row["active"] for row in rows["data"]} == {True}
    assert min(row["updated_at"] for row in rows["data"]) >= "2026-01-01"


def test_statuspage_bodies(vendors: Vendors) -> None:
    pages = vendors.body("status_page", "/v1/pages")
    assert len(pages) == 7
    assert vendors.body("status_page", "/v1/pages", page=2, limit=1) == pages
    histogram = vendors.body(
        "status_page", f"/v1/pages/{pages[0]['id']}/subscribers/histogram_by_state"
    )
    assert set(histogram["slack"]) == {"active", "unconfirmed", "quarantined", "total"}
    assert "id" not in histogram
    path = vendors.first("status_page_incidents")
    assert vendors.body("status_page", path)[0]["page_id"] == path.split("/")[3]
    assert vendors.body("status_page", path, page=99) == []


def test_statuspage_counts_subscribers_from_page_0(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=1)
    store = vendors.sandbox.store
    page = next(store.rows("status_page", "pages"))["id"]
    path = f"/v1/pages/{page}/subscribers"
    for number in range(250):
        row = {"id": f"{number}", "quarantined_at": None if number % 2 else "2026-01-01T00:00:00Z"}
        store.append("subscribers", row, parent=page)
    every = [row for row in store.expected("subscribers") if row["page_id"] == page]
    walked = [
        row
        for number in range(4)
        for row in vendors.body("status_page", path, page=number, limit=100, state="all")
    ]
    assert [row["id"] for row in walked] == [row["id"] for row in every]
    assert len(vendors.body("status_page", path, limit=500, state="all")) == 100
    active = vendors.body("status_page", path)
    assert {row["quarantined_at"] for row in active} == {None}
    assert len(vendors.body("status_page", path, page=1)) in range(24, 31)
    assert vendors.get("status_page", path, page=-1).status_code == 400
    components = path.replace("subscribers", "components")
    assert vendors.get("status_page", components, page=0).status_code == 400


def test_statsig_limits(vendors: Vendors) -> None:
    assert vendors.get("experimentation", "/console/v1/gates", limit=101).status_code == 400
    body = vendors.body("experimentation", "/console/v1/tags", page=2)
    assert (len(body["data"]), "pagination" in body) == (30, False)
    body = vendors.body("experimentation", "/console/v1/holdouts")
    assert body["pagination"]["nextPage"] == "/console/v1/holdouts?limit=100&page=2"
    runs = vendors.body("experimentation", "/console/v1/ingestion/runs", page=7)
    assert (len(runs["data"]), runs["pagination"]["nextPage"]) == (10, None)


def test_statsig_shapes(vendors: Vendors) -> None:
    store = vendors.sandbox.store
    shapes = set()
    for gate in [row["id"] for row in store.rows("experimentation", "gates")][:20]:
        path = f"/console/v1/gates/{quote(gate, safe='')}/rules"
        body = vendors.body("experimentation", path)
        shapes.add(type(body["data"]))
        assert body["pagination"]["itemsPerPage"] == 20_000
    assert shapes == {dict, list}
    path = "/console/v1/ingestion/status"
    shapes = {
        type(
            vendors.body("experimentation", path, startDate="2024-01-01", endDate=f"2026-{m:02}-01")
        )
        for m in range(1, 12)
    }
    assert shapes == {dict, list}
    rows = list(store.rows("experimentation", "target_apps"))
    assert {"id" in row for row in rows} == {True, False}


def test_statsig_has_ids_of_id_lists_only(vendors: Vendors) -> None:
    store = vendors.sandbox.store
    listed = {row["segment_id"] for row in store.expected("segments_ids")}
    for segment in store.rows("experimentation", "segments"):
        path = f"/console/v1/segments/{quote(segment['id'], safe='')}/id_list"
        found = vendors.get("experimentation", path).status_code == 200
        assert found == (segment["type"] in (None, "id_list")) == (segment["id"] in listed)


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [("metrics/list", "showHiddenMetrics", "true"), ("gates", "includeArchived", "true")],
)
def test_statsig_hides_some(vendors: Vendors, path: str, name: str, value: str) -> None:
    shown, every = (
        vendors.body("experimentation", f"/console/v1/{path}", **params)["pagination"]["totalItems"]
        for params in ({}, {name: value})
    )
    assert shown < every == 130


def test_freshsales_views(vendors: Vendors) -> None:
    ids: dict[str, list[int]] = {}
    for view in vendors.body("sales", f"{FRESHSALES}/deals/filters")["filters"]:
        path = f"{FRESHSALES}/deals/view/{view['id']}"
        pages = [vendors.body("sales", path, per_page=500, page=page) for page in (1, 2)]
        ids[view["name"]] = [row["id"] for page in pages for row in page["deals"]]
        total = len(ids[view["name"]])
        assert pages[0]["meta"] == {"total_pages": -(-total // 100), "total": total}
    assert {name: len(found) for name, found in ids.items() if "My" not in name} == {
        "Open Deals": 130,
        "Recycle Bin": 130,
        "Won Deals": 130,
        "Lost Deals": 130,
        "New Deals": 52,
    }
    apart = [ids[name] for name in ("Open Deals", "Won Deals", "Lost Deals", "Recycle Bin")]
    assert len(set().union(*apart)) == 4 * 130
    assert set(ids["My Deals"]) < set(ids["Open Deals"])


def test_freshsales_order(open_vendors: Callable[..., Vendors]) -> None:
    """Rows without the time come first."""
    vendors = open_vendors(records=80)
    without = {"id": 1, "created_at": None, "updated_at": None}
    vendors.sandbox.store.append("contacts", without)
    path = vendors.first("contacts")
    for field in ("created_at", "updated_at"):
        up, down = (
            vendors.body("sales", path, sort=field, sort_type=kind, per_page=100)["contacts"]
            for kind in ("asc", "desc")
        )
        assert up[0] != down[0]
        assert up[0][field] is None
        times = [moment(row[field]) for row in down if row[field]]
        assert len(set(times)) > 50
        assert times == sorted(times, reverse=True)
    assert vendors.get("sales", path, sort="name").status_code == 400
    assert vendors.get("sales", path, sort_type="up").status_code == 400


def test_freshsales_tasks_and_appointments(vendors: Vendors) -> None:
    kinds = {"tasks": ("open", "completed"), "appointments": ("past", "upcoming")}
    for name, values in kinds.items():
        found = [
            vendors.body("sales", f"{FRESHSALES}/{name}", filter=value, per_page=3)
            for value in values
        ]
        assert {"meta" in body for body in found} == {name == "tasks"}
        assert len({row["id"] for body in found for row in body[name]}) == 6


def test_freshsales_has_an_older_prefix(vendors: Vendors) -> None:
    assert vendors.body("sales", "/api/contacts/filters") == vendors.body(
        "sales", f"{FRESHSALES}/contacts/filters"
    )


def test_a_renamed_view_is_found_no_more(open_vendors: Callable[..., Vendors]) -> None:
    vendors = open_vendors(records=3)
    path = vendors.first("contacts")
    vendors.sandbox.store.update("sales_contact_views", 2, {"name": "Everybody"})
    assert vendors.get("sales", path).status_code == 404


def test_signnow_bodies(vendors: Vendors) -> None:
    user = vendors.body("esignature", "/user")
    assert isinstance(user["id"], str)
    documents = vendors.body("esignature", "/user/documentsv2")
    assert len(documents) == 130
    assert documents[0]["updated"].isdecimal()
    folder = vendors.body("esignature", "/user/folder", page=3, per_page=1)
    assert folder == vendors.body("esignature", "/user/folder")
    contacts = vendors.body("esignature", "/v2/crm/contacts", per_page=100, page=2)
    assert len(contacts["data"]) == contacts["meta"]["pagination"]["count"] == 30
    assert isinstance(contacts["data"][0]["meta"]["updated_at"], int)
    assert set(vendors.body("esignature", "/request-logs")) == {"data"}
    assert vendors.get("esignature", "/v2/teams", per_page=101).status_code == 400
