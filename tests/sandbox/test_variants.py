"""Each kind of variant, as the wire has it, and what is said of them all."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.contracts import APIS, UPSTREAMS
from tap_analytics.sandbox.variants import VARIANTS, listing, variants, vary

from .vendors import FACTORIAL, FRESHSALES, ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .vendors import Vendors

    Open = Callable[..., Vendors]

TASKS = f"{FACTORIAL}/tasks/tasks"
CONTACTS = "/v2/crm/contacts"
DOCUMENTS = "/user/documents"


def ids(rows: list[dict[str, Any]]) -> list[Any]:
    return [row["id"] for row in rows]


def test_every_variant_concerns_some_list_and_changes_it() -> None:
    by_list = variants(UPSTREAMS)
    assert {name for names in by_list.values() for name in names} == {v.name for v in VARIANTS}
    for variant in VARIANTS:
        places = {place for place, names in by_list.items() if variant.name in names}
        for vendor in {place.split(".")[0] for place in places}:
            changed = vary(UPSTREAMS, [f"{vendor}.*={variant.name}"])
            differing = {
                f"{vendor}.{route.stream}"
                for before, after in zip(UPSTREAMS, changed, strict=True)
                for route, now in zip(before.routes, after.routes, strict=True)
                if route != now
            }
            # That the first page is page 0 is what the specification says.
            if variant.name != "zero-based":
                assert differing == {place for place in places if place.startswith(f"{vendor}.")}


def test_documented_lists_have_variants_too() -> None:
    assert "only-empty" in variants(APIS)["workforce.tasks"]
    assert "blank-link" in variants(APIS)["experimentation.gates"]


@pytest.mark.parametrize(
    ("choice", "hint"),
    [
        ("statspage.subscribers=one-based", "did you mean 'statuspage'"),
        ("statuspage.subscriber=one-based", "did you mean 'subscribers'"),
        ("statuspage.subscribers=onebased", "did you mean 'one-based'"),
        ("statuspage.components=one-based", "no list of statuspage"),
        ("signnow.*=cursor-only", "no variant of signnow.* is named"),
        ("nonsense", "no API is named 'nonsense'"),
    ],
)
def test_what_there_is_not_is_refused_with_a_hint(choice: str, hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)):
        Sandbox(upstreams=True, variants=[choice])


def test_the_command_line_lists_them_and_refuses_others() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "tap_analytics.sandbox", "--upstreams", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    told = run("--variants")
    assert (told.returncode, told.stdout) == (0, listing(UPSTREAMS))
    assert "one-based: the first page is page 1" in told.stdout
    assert "  statuspage.subscribers\n" in told.stdout
    assert "  factorial.*\n" in told.stdout
    wrong = run("--variant", "statuspage.subscribers=no")
    assert wrong.returncode == 2
    assert "no variant of statuspage.subscribers is named 'no'" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "past"),
    [
        ("paged", 200),
        ("paged-then-400", 400),
        ("paged-then-404", 404),
        ("paged-then-repeats", 200),
    ],
)
def test_paged_by_default(open_vendors: Open, name: str, past: int) -> None:
    vendors = open_vendors(records=40, variants=[f"signnow.esignature_user_documents={name}"])
    every = ids(vendors.body("esignature", DOCUMENTS, per_page=100))
    assert len(every) == 40
    assert ids(vendors.body("esignature", DOCUMENTS)) == every[:15]
    assert ids(vendors.body("esignature", DOCUMENTS, page=3)) == every[30:]
    answer = vendors.get("esignature", DOCUMENTS, page=4)
    assert answer.status_code == past
    if past == 200:
        assert ids(answer.json()) == (every[30:] if name == "paged-then-repeats" else [])
    assert len(vendors.body("esignature", "/user/documentsv2")) == 40


def test_paged_with_a_total(open_vendors: Open) -> None:
    vendors = open_vendors(records=1, variants=["freshsales.sales_deal_views=paged-with-total"])
    for number in range(20):
        row = {"id": number, "name": f"view {number}"}
        vendors.sandbox.store.append("sales_deal_views", row)
    body = vendors.body("sales", f"{FRESHSALES}/deals/filters")
    assert (len(body["filters"]), body["meta"]["total"]) == (15, 26)


@pytest.mark.parametrize(
    ("name", "pages"),
    [("zero-based", "0 1 2"), ("one-based", "400 0 1"), ("zero-is-one", "0 0 1")],
)
def test_the_first_page(open_vendors: Open, name: str, pages: str) -> None:
    vendors = open_vendors(records=1, variants=[f"statuspage.subscribers={name}"])
    store = vendors.sandbox.store
    page = next(store.rows("status_page", "pages"))["id"]
    path = f"/v1/pages/{page}/subscribers"
    for number in range(9):
        store.append("subscribers", {"id": number, "quarantined_at": None}, parent=page)
    every = ids([row for row in store.expected("subscribers") if row["page_id"] == page])
    for number, part in enumerate(pages.split()):
        answer = vendors.get("status_page", path, page=number, limit=2, state="all")
        if part == "400":
            assert answer.status_code == 400
        else:
            assert ids(answer.json()) == every[2 * int(part) : 2 * int(part) + 2]


def test_a_cursor_leads_on_whether_or_not_pages_are_numbered(open_vendors: Open) -> None:
    for variant in ([], ["factorial.tasks=cursor-only"]):
        vendors = open_vendors(records=7, variants=variant)
        first = vendors.body("workforce", TASKS, limit=3)
        second = vendors.body("workforce", TASKS, limit=3, page=2)
        assert (ids(first["data"]) == ids(second["data"])) == bool(variant)
        found, cursor = ids(first["data"]), first["meta"]["end_cursor"]
        # What is deleted before the cursor moves nothing behind it.
        vendors.sandbox.store.delete("tasks", 1)
        while True:
            body = vendors.body("workforce", TASKS, limit=3, after_id=cursor)
            found += ids(body["data"])
            if not body["meta"]["has_next_page"]:
                break
            cursor = body["meta"]["end_cursor"]
        assert len(set(found)) == len(found) == 7
        assert vendors.get("workforce", TASKS, after_id="odd").status_code == 400


def test_a_cursor_in_a_chosen_list(open_vendors: Open) -> None:
    vendors = open_vendors(records=30)
    path = f"{FACTORIAL}/timeoff/leaves"
    every = ids(vendors.body("workforce", path)["data"])
    first = vendors.body("workforce", path, limit=5)
    after = vendors.body("workforce", path, after_id=first["meta"]["end_cursor"])
    assert ids(first["data"]) + ids(after["data"]) == every
    assert after["meta"]["has_previous_page"]


@pytest.mark.parametrize(
    ("name", "pagination"),
    [
        ("no-totals", {"count": 15, "per_page": 15, "current_page": 1}),
        ("totals-of-the-page", {"total": 15, "total_pages": 1}),
        ("totals-of-others", {"total": 20, "total_pages": 2}),
        ("only-empty", {"count": 15, "per_page": 15, "current_page": 1}),
    ],
)
def test_totals(open_vendors: Open, name: str, pagination: dict[str, int]) -> None:
    vendors = open_vendors(records=40, variants=[f"signnow.crm_contacts={name}"])
    body = vendors.body("esignature", CONTACTS)
    assert len(body["data"]) == 15
    usual = {"count": 15, "per_page": 15, "current_page": 1}
    assert body["meta"]["pagination"] == usual | pagination


def test_only_more(open_vendors: Open) -> None:
    vendors = open_vendors(records=4, variants=["factorial.tasks=only-more"])
    bodies = [vendors.body("workforce", TASKS, limit=2, page=page) for page in (1, 2)]
    assert [body["meta"]["has_next_page"] for body in bodies] == [True, False]
    assert "total" not in bodies[0]["meta"]


@pytest.mark.parametrize(
    ("name", "status", "count"),
    [("repeats", 200, 10), ("ends-with-400", 400, 0), ("ends-with-404", 404, 0)],
)
def test_past_the_end(open_vendors: Open, name: str, status: int, count: int) -> None:
    vendors = open_vendors(records=40, variants=[f"signnow.crm_contacts={name}"])
    last = vendors.body("esignature", CONTACTS, page=3)
    assert len(last["data"]) == 10
    assert "total" not in last["meta"]["pagination"]
    past = vendors.get("esignature", CONTACTS, page=4)
    assert past.status_code == status
    assert ids(past.json().get("data", ())) == ids(last["data"])[:count]
    empty = open_vendors(records=0, variants=[f"signnow.crm_contacts={name}"])
    assert empty.body("esignature", CONTACTS)["data"] == []


def test_a_blank_link(open_vendors: Open) -> None:
    vendors = open_vendors(
        records=40, variants=["statsig.tags=repeats", "statsig.gates=blank-link"]
    )
    links = [
        vendors.body("experimentation", "/console/v1/gates", limit=20, page=page)["pagination"]
        for page in (1, 2)
    ]
    assert [bool(link["nextPage"]) for link in links] == [True, False]
    assert links[1]["nextPage"] == ""


@pytest.mark.parametrize("status", [402, 403, 404, 422])
def test_what_an_account_does_not_have(open_vendors: Open, status: int) -> None:
    vendors = open_vendors(records=2, variants=[f"factorial.*=absent-{status}"])
    for stream in ("tasks", "workforce_leaves"):
        answer = vendors.get("workforce", vendors.first(stream), **vendors.needed(stream))
        assert answer.status_code == status
        assert "plan" in answer.text
    wrong = vendors.session.get(vendors.sandbox.base_url + TASKS, timeout=10)
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    ("choice", "records", "body"),
    [
        ("factorial.tasks=bare", 1, "[_]"),
        ("factorial.tasks=one-object", 1, "_"),
        ("factorial.tasks=one-object", 0, "[]"),
        ("factorial.tasks=null-if-empty", 0, "null"),
        ("signnow.esignature_user_documents=under-data", 1, "{'data': [_]}"),
        ("signnow.esignature_user_documents=null-if-empty", 0, "null"),
        ("freshsales.open_tasks=under-data", 1, "{'data': [_]}"),
        ("freshsales.open_tasks=one-object", 1, "_"),
    ],
)
def test_envelopes(open_vendors: Open, choice: str, records: int, body: str) -> None:
    vendors = open_vendors(records=records, variants=[choice])
    stream = choice.split(".")[1].split("=", maxsplit=1)[0]
    api, _ = ROUTES[stream]
    found = vendors.body(api.name, vendors.first(stream), **vendors.needed(stream))
    if isinstance(found, dict) and "meta" in found:
        found = next(inner for name, inner in found.items() if name != "meta")
    rows = vendors.sandbox.store.expected(stream)
    wanted = eval(body, {"_": rows[0] if rows else None, "null": None})  # noqa: S307
    assert found == wanted


@pytest.mark.parametrize(
    ("name", "data"),
    [("rules-in-one-object", "{'rules': rows}"), ("rules-flat", "rows")],
)
def test_rules(open_vendors: Open, name: str, data: str) -> None:
    vendors = open_vendors(records=9, variants=[f"statsig.gates_rules={name}"])
    path = vendors.first("gates_rules")
    found = vendors.body("experimentation", path)["data"]
    rows = vendors.sandbox.store.expected("gates_rules")
    first = rows[0]["gate_id"]
    rows = [
        {k: v for k, v in row.items() if k != "gate_id"} for row in rows if row["gate_id"] == first
    ]
    assert found == eval(data, {"rows": rows})  # noqa: S307


def test_keys(open_vendors: Open) -> None:
    vendors = open_vendors(
        records=10, variants=["factorial.tasks=key-missing", "statuspage.*=key-within-parent"]
    )
    rows = vendors.body("workforce", TASKS)["data"]
    assert ["id" in row for row in rows] == [index % 5 != 2 for index in range(10)]
    below: dict[str, list[str]] = {}
    for row in vendors.sandbox.store.expected("status_page_components"):
        below.setdefault(row["page_id"], []).append(row["id"])
    first, second = [found for found in below.values() if len(found) > 1][:2]
    assert first[:2] == second[:2]
    path = vendors.first("status_page_components")
    assert ids(vendors.body("status_page", path)) == below[path.split("/")[3]]


def test_values(open_vendors: Open) -> None:
    vendors = open_vendors(
        records=40,
        variants=[
            "factorial.workforce_teams=fractions",
            "factorial.workforce_locations=texts-for-numbers",
            "factorial.workforce_leaves=scalars-for-objects",
            "factorial.workforce_shifts=blanks",
        ],
    )

    def kinds(stream: str, name: str) -> set[type]:
        rows = vendors.body("workforce", vendors.first(stream))["data"]
        return {type(row[name]) for row in rows if row[name] is not None}

    assert kinds("workforce_teams", "depth") == {int, float}
    assert kinds("workforce_locations", "latitude") == {float, str}
    assert kinds("workforce_leaves", "duration_attributes") == {dict, str}
    rows = vendors.body("workforce", vendors.first("workforce_shifts"))["data"]
    assert any(value == "" for row in rows[2::5] for value in row.values())
    assert rows == vendors.sandbox.store.expected("workforce_shifts")


def test_a_source_that_forgets(open_vendors: Open) -> None:
    forgets = ["signnow.esignature_logs=forgets"]
    vendors = open_vendors(records=100, variants=forgets, token_seconds=10**9)
    path = "/request-logs"
    before = vendors.body("esignature", path, per_page=100)["data"]
    assert 0 < len(before) < 100
    vendors.sandbox.store.advance(30)
    after = vendors.body("esignature", path, per_page=100)["data"]
    assert len(after) < len(before)
    assert [row for row in before if row in after] == after
    assert after == vendors.sandbox.store.expected("esignature_logs")
