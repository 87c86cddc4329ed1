"""What is known of the vendors' streams, written down once more, and how to compare their rows."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.helpers.comparing import assert_rows
from tests.helpers.support import catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Sandbox, Store
    from tests.helpers.support import Record, Result

DATA = Path(__file__).parents[1] / "data"
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
        first: Its first value; None if the first page is asked for without it.
        size: Name of the parameter that says how many rows, if there is one.
    """

    token: str
    first: int | None
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


def facts(name: str) -> tuple[Upstream, ...]:
    """Return the streams that a file of facts has."""
    return tuple(
        Upstream(
            name,
            fact["api"],
            fact["path"],
            fact["pages"] and Pages(*fact["pages"]),
            fact["sends"],
            tuple(fact["keys"]),
            frozenset(fact["takes"]) if "takes" in fact else None,
        )
        for name, fact in load(name).items()
    )


CORE = facts("upstreams")
"""What the vendors' lists show always."""
FURTHER = tuple(
    stream
    for file in sorted(DATA.glob("further/*.json"))
    for stream in facts(f"further/{file.stem}")
)
"""What they show with `all_streams`."""
UPSTREAMS = (*CORE, *FURTHER)
BY_NAME = {stream.name: stream for stream in UPSTREAMS}
NAMES = tuple(BY_NAME)

DEALS = {"won_deals", "sales_open_deals", "sales_lost_deals"}
RULES = {
    "gates_rules": ("gates", "gate_id"),
    "dynamic_configs_rules": ("dynamic_configs", "dynamic_config_id"),
}
"""Rules bear the time of their parent's change."""
DOCUMENTS = {"user_modified_documents", "esignature_user_documents"}


def _strip(row: Record, part: str, *names: str) -> None:
    """Take fields out of an object in a row, or out of all objects of an array."""
    inside = row[part] or ()
    for one in inside if isinstance(inside, list) else (inside,):
        for name in names:
            one and one.pop(name, None)


def _deal(row: Record) -> None:
    row.pop("fc_widget_collaboration", None)
    _strip(row, "collaboration", "convo_token")


def _log(row: Record) -> None:
    _strip(row, "request", "headers")
    _strip(row, "response", "headers")


def _audit(row: Record) -> None:
    text = row["date"]
    day = datetime.strptime(f"{text} +0000", "%a %b %d %Y %z") if text else None
    row["day"] = day and f"{day:%Y-%m-%d}"


def _callback(row: Record) -> None:
    row.pop("request_headers", None)
    _strip(row["request_content"] or {"meta": None}, "meta", "access_token")


def _expense(row: Record) -> None:
    row.pop("access_token", None)
    _strip(row, "files", "url", "download_url")
    _strip(row, "signed_document", "original_files", "file")


def _allowance(row: Record) -> None:
    row.pop("carry_overs", None)
    row["reference_date"] = f"{datetime.now(timezone.utc):%Y-%m-%d}"


LINKS = {
    "experimentation_layers_experiments": "layer_id",
    "experimentation_metrics_experiments": "metric_id",
    "experimentation_gates_dynamic_config_references": "gate_id",
    "experimentation_gates_experiment_references": "gate_id",
    "experimentation_gates_gate_references": "gate_id",
    "experimentation_metric_sources_metrics": "metric_source_name",
    "status_page_page_access_group_components": "page_access_group_id",
    "status_page_page_access_user_components": "page_access_user_id",
    "status_page_page_access_user_metrics": "page_access_user_id",
}
"""Streams that say what belongs to what, with the column that says it."""
COUNTS = tuple(
    f"experimentation_{kind}_exposure_counts"
    for kind in ("experiments", "gates", "dynamic_configs")
)
BELOW_RULES = tuple(
    f"experimentation_gates_rules_pulse_{kind}" for kind in ("results", "load_histories")
)


def _link(row: Record) -> None:
    kept = {*LINKS.values(), "page_id", "id", "name"}
    if "metric_source_name" in row:
        kept.add("type")
    for name in row.keys() - kept:
        del row[name]


def _stamp(row: Record) -> None:
    row["date"] = f"{datetime.now(timezone.utc):%Y-%m-%d}"


def _without(*names: str) -> Callable[[Record], None]:
    def leave_out(row: Record) -> None:
        for name in names:
            row.pop(name, None)

    return leave_out


def _numbered(name: str) -> Callable[[Record], object]:
    """Make the key of a row's parent, which a path has as text, the number that it is."""
    return lambda row: row.update({name: int(row[name])})


COMPLETED: dict[str, Callable[[Record], object]] = {
    **dict.fromkeys(DEALS, _deal),
    **dict.fromkeys(DOCUMENTS, lambda row: _strip(row, "signatures", "data")),
    "esignature_logs": _log,
    "crm_contacts": lambda row: row.update(updated=row["meta"]["updated_at"]),
    "target_apps": lambda row: row.setdefault("id", row["name"]),
    "audit_logs": _audit,
    **{f"sales_contact_{kind}": _numbered("contact_id") for kind in ("activities", "notes")},
    **{f"sales_account_{kind}": _numbered("sales_account_id") for kind in ("activities", "notes")},
    "sales_list_contacts": _numbered("list_id"),
    "esignature_document_group_details": lambda row: row.pop("document_group_id"),
    "esignature_folder_documents": lambda row: _strip(row, "signatures", "data"),
    "esignature_event_subscriptions": lambda row: _strip(
        row, "json_attributes", "secret_key", "headers"
    ),
    "esignature_event_callbacks": _callback,
    "esignature_document_group_recipients": lambda row: _strip(
        row["attributes"] or {"authentication": None}, "authentication", "value"
    ),
    "workforce_expenses": _expense,
    "workforce_mileages": lambda row: _strip(row, "files", "url", "download_url"),
    "workforce_per_diems": lambda row: _strip(row, "files", "url", "download_url"),
    "workforce_ats_applications": lambda row: _strip(row, "cv", "url"),
    "workforce_allowance_stats": _allowance,
    **dict.fromkeys(LINKS, _link),
    **dict.fromkeys(COUNTS, _stamp),
    **dict.fromkeys(BELOW_RULES, lambda row: row.update(rule_base_id=row["rule_id"])),
    "status_page_incidents_postmortems": _without("preview_key"),
    "status_page_metrics_providers": _without("api_key", "api_token", "application_key", "email"),
}
"""What the tap leaves out of a row or fills in."""


def _arms(store: Store) -> dict[str, list[Record]]:
    """Return what is compared in each experiment: each other group with the control group."""
    return {
        row["id"]: [
            {"control_group_id": control, "test_group_id": group["id"]}
            for group in row["groups"] or ()
            if control not in (None, group["id"])
        ]
        for row in store.expected("experiments")
        for control in [row["controlGroupID"]]
    }


def served_rows(store: Store, stream: str) -> list[Record]:
    """Return the rows that the server has for a stream, and shows to the tap.

    A count that it has not is no row, and without a control group nothing is compared.
    """
    rows = store.expected(stream)
    if stream == "experimentation_experiments_pulse_results":
        arms = _arms(store)
        return [row for row in rows if arms[row["experiment_id"]]]
    if stream in COUNTS:
        return [row for row in rows if {row["past7Days"], row["pastDay"]} != {None}]
    return rows


def expected_rows(store: Store, stream: str) -> list[Record]:
    """Return the rows that the tap should write for a stream, apart from `row_key`.

    What carries secrets or images is left out, what the key lacks is filled in.
    """
    rows = served_rows(store, stream)
    for row in rows:
        COMPLETED.get(stream, id)(row)
    if stream == "experimentation_experiments_pulse_results":
        arms = _arms(store)
        return [{**row, **arm} for row in rows for arm in arms[row["experiment_id"]]]
    if stream in RULES:
        parent, name = RULES[stream]
        modified = {row["id"]: row["lastModifiedTime"] for row in store.expected(parent)}
        for row in rows:
            row["lastModifiedTime"] = modified[row[name]]
            row["baseID"] = row.get("baseID") or row["id"]
    return rows


def assert_equal(result: Result, store: Store, *streams: str, schema: Record | None = None) -> None:
    """Compare all rows of vendors' streams with the store."""
    for stream in streams:
        wanted, keys = expected_rows(store, stream), BY_NAME[stream].keys
        assert_rows(result, stream, wanted, keys, schema)


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
        for name, value in {**sandbox.config(), "all_streams": True}.items()
    }
    return catalog(*streams, config=known)
