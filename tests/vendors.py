"""What is known of the vendors' streams, written down once more, and how to compare their rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.comparing import assert_rows
from tests.support import catalog

if TYPE_CHECKING:
    from tap_analytics.sandbox import Sandbox, Store
    from tests.support import Record, Result

DATA = Path(__file__).parent / "data"
BELOW_PAGES = (
    "subscribers",
    "status_page_incident_templates",
    "status_page_incidents",
    "status_page_components",
    "status_page_metrics",
)
CROWDED = 230
"""Rows that `crowd` adds to each list below the first status page."""


class Pages(NamedTuple):
    """How a list is asked for.

    Attributes:
        token: Name of the parameter that says which page.
        first: Its first value.
        size: Name of the parameter that says how many rows, if there is one.
    """

    token: str
    first: int
    size: str | None


class Upstream(NamedTuple):
    """One stream of a vendor.

    Attributes:
        sends: Parameters that every request has, with their values where they are fixed.
        takes: All parameters of an official description, where there is one.
    """

    name: str
    api: str
    path: str
    pages: Pages | None
    sends: dict[str, str | None]
    keys: tuple[str, ...]
    takes: frozenset[str] | None


def load(name: str) -> Any:
    """Return what a file of facts has."""
    return json.loads(DATA.joinpath(f"{name}.json").read_text(encoding="utf-8"))


UPSTREAMS = tuple(
    Upstream(
        name,
        fact["api"],
        fact["path"],
        fact["pages"] and Pages(*fact["pages"]),
        fact["sends"],
        tuple(fact["keys"]),
        frozenset(fact["takes"]) if "takes" in fact else None,
    )
    for name, fact in load("upstreams").items()
)
BY_NAME = {stream.name: stream for stream in UPSTREAMS}
NAMES = tuple(BY_NAME)

DEALS = {"won_deals", "sales_open_deals", "sales_lost_deals"}
DOCUMENTS = {"user_modified_documents", "esignature_user_documents"}


def expected_rows(store: Store, stream: str) -> list[Record]:
    """Return the rows that the tap should write for a stream, apart from `row_key`.

    What carries secrets or images is left out, what the key lacks is filled in.
    """
    rows = store.expected(stream)
    for row in rows:
        if stream in DEALS:
            row.pop("fc_widget_collaboration", None)
        elif stream in DOCUMENTS:
            for signature in row["signatures"] or ():
                signature.pop("data", None)
        elif stream == "esignature_logs":
            for part in ("request", "response"):
                (row[part] or {}).pop("headers", None)
        elif stream == "crm_contacts":
            row["updated"] = row["meta"]["updated_at"]
        elif stream == "target_apps":
            row.setdefault("id", row["name"])
    return rows


def assert_equal(result: Result, store: Store, *streams: str) -> None:
    """Compare all rows of vendors' streams with the store."""
    for stream in streams:
        assert_rows(result, stream, expected_rows(store, stream), BY_NAME[stream].keys)


def crowd(sandbox: Sandbox) -> None:
    """Give the first status page lists of several pages."""
    store = sandbox.store
    page = str(next(store.rows("status_page", "pages"))["id"])
    for stream in BELOW_PAGES:
        row = store.expected(stream)[0]
        for number in range(CROWDED):
            store.append(stream, {**row, "page_id": page, "id": f"row {number}"}, parent=page)


def vendor_catalog(sandbox: Sandbox, *streams: str) -> Record:
    """Return the catalog of the vendors' streams with only these selected.

    Where the servers are does not matter for it, so that one discovery serves all tests.
    """
    known = {
        name: "http://127.0.0.1:9" if name.endswith("_base_url") else value
        for name, value in sandbox.config().items()
    }
    return catalog(*streams, config=known)
