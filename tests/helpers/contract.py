"""The documented streams as the documents and the contract have them, written down once more."""

from __future__ import annotations

from typing import NamedTuple


class Paging(NamedTuple):
    """How an API's lists are asked for.

    Attributes:
        token: Name of the parameter that says which page.
        first: Its first value.
        size: Name of the parameter that says how many rows.
        rows: The documented number.
    """

    token: str
    first: int
    size: str
    rows: int


class Documented(NamedTuple):
    """One documented stream."""

    api: str
    name: str
    path: str
    selector: str
    keys: tuple[str, ...] = ("id",)
    replication_key: str | None = None
    parent: str | None = None


PAGING = {
    "workforce": Paging("page", 1, "limit", 2),
    "status_page": Paging("offset", 0, "limit", 100),
    "experimentation": Paging("page", 1, "limit", 100),
    "sales": Paging("page", 1, "per_page", 50),
    "esignature": Paging("page", 1, "per_page", 20),
}
RETRIES = {
    "workforce": ({429}, 3, 2, None),
    "status_page": ({420, 429}, 3, None, 62),
    "experimentation": ({429, 500, 502, 503, 504}, 3, 2, None),
    "sales": ({429, 500, 502, 503, 504}, 3, 2, None),
    "esignature": ({429, 500, 502, 503, 504}, 3, 2, None),
}
"""Statuses, retries, exponential factor and constant wait in seconds."""

SINGLE = frozenset({"user", "user_modified_documents", "ingestion_status"})
"""Streams without paging parameters."""

_EXPERIMENTATION = "experimentation"
_MODIFIED = "lastModifiedTime"
_RULES = "$.data[*].rules[*]"

STREAMS = (
    Documented("workforce", "public_credentials", "/v1/api_public/credentials", "$.data[*]"),
    Documented(
        "workforce", "webhook_subscriptions", "/v1/api_public/webhook_subscriptions", "$.data[*]"
    ),
    Documented("workforce", "tasks", "/v1/tasks/tasks", "$.data[*]", ("id",), "updated_at"),
    Documented(
        "workforce", "schedules", "/v1/work_schedule/schedules", "$.data[*]", ("id",), "updated_at"
    ),
    Documented("workforce", "overlap_periods", "/v1/work_schedule/overlap_periods", "$.data[*]"),
    Documented("status_page", "pages", "/v1/resource", "$.data[*]"),
    Documented("status_page", "subscribers", "/v1/resource/subscribers", "$.data[*]"),
    Documented(_EXPERIMENTATION, "audit_logs", "/v1/audit_logs", "$.data[*]"),
    *(
        Documented(_EXPERIMENTATION, name, f"/v1/{name}", "$.data[*]", ("id",), _MODIFIED)
        for name in (
            "autotunes",
            "dynamic_configs",
            "experiments",
            "gates",
            "holdouts",
            "layers",
            "segments",
        )
    ),
    Documented(
        _EXPERIMENTATION,
        "dynamic_configs_versions",
        "/v1/dynamic_configs/{dynamic_config_id}/versions",
        "$.data[*]",
        ("id", "version"),
        _MODIFIED,
        "dynamic_configs",
    ),
    Documented(
        _EXPERIMENTATION,
        "dynamic_configs_rules",
        "/v1/dynamic_configs/{dynamic_config_id}/rules",
        _RULES,
        ("dynamic_config_id", "id"),
        None,
        "dynamic_configs",
    ),
    Documented(
        _EXPERIMENTATION,
        "gates_rules",
        "/v1/gates/{gate_id}/rules",
        _RULES,
        ("gate_id", "id"),
        None,
        "gates",
    ),
    Documented(_EXPERIMENTATION, "events", "/v1/events", "$.data[*]", ("row_key",)),
    Documented(
        _EXPERIMENTATION,
        "events_metrics",
        "/v1/events/{event_name}/metrics",
        "$.data[*]",
        ("event_name", "id"),
        "createdTime",
        "events",
    ),
    Documented(
        _EXPERIMENTATION,
        "ingestion_status",
        "/v1/ingestion/status",
        "$.data[*]",
        ("row_key",),
        "timestamp",
    ),
    Documented(
        _EXPERIMENTATION,
        "ingestion_runs",
        "/v1/ingestion/runs",
        "$.data[*]",
        ("runID",),
        "lastUpdatedAt",
    ),
    Documented(_EXPERIMENTATION, "metrics", "/v1/metrics/list", "$.data[*]"),
    Documented(
        _EXPERIMENTATION,
        "metrics_values",
        "/v1/metrics/values",
        "$.data[*]",
        ("date", "metricName", "metricType", "unitType"),
        "date",
    ),
    Documented(
        _EXPERIMENTATION,
        "segments_ids",
        "/v1/segments/{segment_id}/id_list",
        "$.data[*]",
        ("segment_id",),
        None,
        "segments",
    ),
    Documented(_EXPERIMENTATION, "tags", "/v1/tags", "$.data[*]"),
    Documented(_EXPERIMENTATION, "target_apps", "/v1/target_app", "$.data[*]"),
    Documented(_EXPERIMENTATION, "users", "/v1/users", "$.data[*]", ("email",)),
    Documented("sales", "contacts", "/v1/contacts", "$.contacts[*]"),
    Documented("sales", "accounts", "/v1/accounts", "$.sales_accounts[*]"),
    Documented("sales", "won_deals", "/v1/deals", "$.deals[*]"),
    Documented("sales", "open_tasks", "/v1/tasks", "$.tasks[*]"),
    Documented("sales", "past_appointments", "/v1/appointments", "$.appointments[*]"),
    Documented("esignature", "user", "/user", "$.data[*]"),
    Documented(
        "esignature",
        "user_modified_documents",
        "/user/documentsv2",
        "$.data[*]",
        ("id",),
        "updated",
    ),
    Documented("esignature", "crm_contacts", "/v2/crm/contacts", "$.data[*]", ("id",), "updated"),
    Documented(
        "esignature",
        "signing_links",
        "/v2/application/signing-links",
        "$.data[*]",
        ("id",),
        "created",
    ),
)
NAMES = tuple(stream.name for stream in STREAMS)
BY_NAME = {stream.name: stream for stream in STREAMS}
