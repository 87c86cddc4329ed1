"""Factorial, the workforce vendor: a path for every version, up to 100 rows a page.

From the version of July 2026 on all ids are strings; before, most are numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.sandbox.contract import Api, Choice, Found, Route, json
from tap_analytics.sandbox.contracts import workforce
from tap_analytics.sandbox.data.moments import instant
from tap_analytics.sandbox.paging import AfterId, PageNumber

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Params
    from tap_analytics.sandbox.paging import Window

    Envelope = Callable[[Found, Window, str], bytes]

_PAGES = AfterId(PageNumber("limit", 100, most=100, capped=True))
_FIRST_WITH_TEXT = "2026-07-01"
_VERSIONS = (
    *("v2", "2025-10-01", "2026-01-01", "2026-04-01"),
    *(_FIRST_WITH_TEXT, "2026-10-01"),
)
_BOTH = ("true", "false")
_KEY = "sandbox-factorial-key"


def _numbered(value: Any, name: str = "") -> Any:
    """A value with the ids in it as numbers, where they look like numbers."""
    if isinstance(value, dict):
        return {key: _numbered(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbered(inner, name) for inner in value]
    is_id = re.fullmatch(r"id|.+_ids?|members", name) and isinstance(value, str)
    return int(value) if is_id and value.isdecimal() else value


def _versioned(found: Found, path: str) -> Found:
    """The rows as the version in the path has them."""
    version = path.split("/")[2]
    if version >= _FIRST_WITH_TEXT and not version.startswith("v"):
        return found
    return found._replace(rows=[json(_numbered(msgspec.json.decode(row))) for row in found.rows])


def _envelope(found: Found, window: Window, path: str) -> bytes:
    return workforce.envelope(_versioned(found, path), window, path)


def _nothing(found: Found, window: Window, path: str) -> bytes:
    """An empty list at times comes without its records."""
    return _envelope(found, window, path) if found.rows else b'{"errors":null}'


def _unlimited(found: Found, window: Window, path: str) -> bytes:
    """The size of the page is not always told."""
    return _envelope(found, window, path).replace(b'"limit":%d' % window.limit, b'"limit":null')


def _kept(params: Params) -> Choice | None:
    """Leaves that were deleted are shown on demand only."""
    if params.get("include_deleted_leaves") == "true":
        return None
    return Choice(lambda row: row["deleted_at"] is None)


def _unarchived(params: Params) -> Choice | None:
    if params.get("only_non_archived") != "true":
        return None
    return Choice(lambda row: row["archived_at"] is None)


def _active(params: Params) -> Choice | None:
    since = params.get("updated_at_gteq")
    if since is None and params.get("only_active") != "true":
        return None
    after = instant(since) if since else float("-inf")
    active = (True,) if params.get("only_active") == "true" else (True, False, None)
    return Choice(lambda row: instant(row["updated_at"]) >= after and row["active"] in active)


def _since(params: Params) -> Choice | None:
    first, last = params.get("updated_at_gteq"), params.get("updated_at_lteq")
    if first is None and last is None:
        return None
    after = instant(first) if first else float("-inf")
    before = instant(last) if last else float("inf")
    return Choice(lambda row: after <= instant(row["updated_at"]) <= before)


def _within(params: Params) -> Choice | None:
    """Shifts that have a part of their time in some days, or no time at all."""
    if not {"start_at", "end_at"} & set(params):
        return None
    first, last = params.get("start_at", "0001-01-01"), params.get("end_at", "9999-12-31")

    def keep(row: dict[str, Any]) -> bool:
        days = sorted(text[:10] for text in (row["start_at"], row["end_at"]) if text)
        return not days or (days[0] <= last and first <= days[-1])

    return Choice(keep)


def _list(stream: str, path: str, envelope: Envelope = _envelope, **rest: Any) -> Route:
    return Route(stream, path, _PAGES, envelope, **rest)


_DETAILED = {"with_employee_ids": _BOTH, "with_periods": _BOTH}
"""Required for schedules, and known to be sent for what is related to them."""
_LEAVE_DETAILS = dict.fromkeys(
    ("include_leave_type", "include_duration", "include_duration_by_day"), _BOTH
)
"""They decide which columns are filled, which the rows of the sandbox always are."""

API = Api(
    name="workforce",
    upstream="factorial",
    prefixes=tuple(f"/api/{version}/resources" for version in _VERSIONS),
    tables=("factorial",),
    settings={"api_key": _KEY},
    authorization=("x-api-key", _KEY),
    error=workforce.error,
    paging=_PAGES,
    records=("data",),
    usual=lambda _: _envelope,
    signals=workforce.SIGNALS,
    routes=(
        _list("public_credentials", "/api_public/credentials"),
        _list("webhook_subscriptions", "/api_public/webhook_subscriptions"),
        _list("tasks", "/tasks/tasks"),
        _list(
            "schedules",
            "/work_schedule/schedules",
            options=_DETAILED,
            needs=("with_employee_ids", "with_periods"),
        ),
        _list("overlap_periods", "/work_schedule/overlap_periods", options=_DETAILED),
        _list("workforce_teams", "/teams/teams", options=_DETAILED),
        _list(
            "workforce_memberships",
            "/teams/memberships",
            options={**_DETAILED, "with_source_attribution": _BOTH},
        ),
        _list("workforce_allowances", "/timeoff/allowances"),
        _list("workforce_blocked_periods", "/timeoff/blocked_periods", _nothing),
        _list(
            "workforce_leaves",
            "/timeoff/leaves",
            options={"include_deleted_leaves": _BOTH, **_LEAVE_DETAILS},
            choose=_kept,
            widest={"include_deleted_leaves": "true"},
        ),
        _list("workforce_leave_types", "/timeoff/leave_types"),
        _list("workforce_policies", "/timeoff/policies", _unlimited),
        _list("workforce_break_configurations", "/time_settings/break_configurations"),
        _list("workforce_categories", "/trainings/categories"),
        _list("workforce_legal_entities", "/companies/legal_entities"),
        _list(
            "workforce_contract_versions",
            "/contracts/contract_versions",
            options={"updated_at_gteq": (), "updated_at_lteq": ()},
            choose=_since,
        ),
        _list("workforce_reference_contracts", "/contracts/reference_contracts"),
        _list("workforce_taxonomies", "/contracts/taxonomies"),
        _list("workforce_fields", "/custom_fields/fields"),
        _list("workforce_fields_options", "/custom_fields/options"),
        _list("workforce_fields_resource_fields", "/custom_fields/resource_fields"),
        _list(
            "workforce_employees",
            "/employees/employees",
            options={"updated_at_gteq": (), "only_active": _BOTH, "only_managers": ("false",)},
            choose=_active,
        ),
        _list("workforce_cost_centers", "/finance/cost_centers", _nothing),
        _list("workforce_company_holidays", "/holidays/company_holidays"),
        _list("workforce_locations", "/locations/locations"),
        _list(
            "workforce_work_areas",
            "/locations/work_areas",
            options={"only_non_archived": _BOTH},
            choose=_unarchived,
        ),
        _list(
            "workforce_shifts",
            "/shift_management/shifts",
            options={"start_at": (), "end_at": ()},
            choose=_within,
        ),
    ),
)
