"""Lists that an account does not have: denied, in words that help, and no harm to the others."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from tap_analytics.apis import PACKAGES
from tap_analytics.sandbox import Answer, Sandbox
from tap_analytics.sandbox.contracts import CORE
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import CORE as STREAMS
from tests.helpers.vendors import vendor_catalog

if TYPE_CHECKING:
    from tests.helpers.support import Result

VENDORS = {
    upstream: vendor for package in PACKAGES for upstream, vendor in package.upstreams.items()
}
NAMES = [stream.name for stream in STREAMS]
ABOVE = {route.parent for api in CORE for route in api.routes}
LACKING = {
    api.upstream: [
        route.stream for route in api.routes if route.stream in NAMES and route.stream not in ABOVE
    ]
    for api in CORE
}
"""By vendor, the lists that nothing is read below; those above them are there."""


@lru_cache
def read(status: int) -> Result:
    """Let the tap read everything from accounts that lack all those lists."""
    absent = [
        f"{vendor}.{stream}=absent-{status}"
        for vendor, streams in LACKING.items()
        for stream in streams
    ]
    sizes = {"pages": 2, "events": 12}
    with Sandbox(12, sizes=sizes, upstreams=True, variants=absent) as sandbox:
        config = settings(sandbox, max_retries=0)
        return run_tap(config, catalog_=vendor_catalog(sandbox, *NAMES), timeout=60)


@pytest.mark.parametrize("status", [402, 403, 404])
@pytest.mark.parametrize("vendor", VENDORS)
def test_what_an_account_lacks_is_denied_in_words_that_help(vendor: str, status: int) -> None:
    result = read(status)
    assert result.status == 1, result.stderr[-2000:]
    api = VENDORS[vendor].api
    assert api.permission_help
    for stream in LACKING[vendor]:
        told = result.report[stream]
        assert told["status"] == "denied", (stream, told)
        assert api.permission_help in told["reason"], (stream, told)
    others = {stream.name for stream in STREAMS if stream.api == api.name} - {*LACKING[vendor]}
    assert {result.outcome(stream) for stream in others} <= {"complete"}
    assert LACKING[vendor]


BELOW = [
    ("statuspage", "status_page_page_access_groups", "status_page_page_access_group_components"),
    ("statsig", "gates_rules", "experimentation_gates_rules_pulse_load_histories"),
    ("statsig", "gates", "gates_rules"),
    ("signnow", "esignature_teams", "esignature_team_admins"),
]
"""A vendor, a list, and one that is read below its rows."""


@pytest.mark.parametrize(("vendor", "above", "below"), BELOW, ids=[below for _, _, below in BELOW])
def test_what_is_below_a_list_that_is_refused_is_not_there_either(
    vendor: str, above: str, below: str
) -> None:
    with Sandbox(6, upstreams=True, variants=[f"{vendor}.{above}=absent-403"]) as sandbox:
        more = {"all_streams": True, "emit_activate_version_messages": True, "max_retries": 0}
        result = run_tap(
            settings(sandbox, **more), catalog_=vendor_catalog(sandbox, above, below), timeout=60
        )
    assert result.status == 1, result.stderr[-2000:]
    assert {result.outcome(above), result.outcome(below)} == {"denied"}
    assert result.report[below]["reason"] == f"{above}, which it is read below, was refused"
    assert result.of("ACTIVATE_VERSION") == []


def test_what_is_below_a_list_that_fails_for_one_row_is_not_complete() -> None:
    """Else targets would remove what is below the rows that did not come."""
    above, below = BELOW[0][1:]
    with Sandbox(6, upstreams=True) as sandbox:
        page = next(sandbox.store.rows("status_page", "pages"))["id"]
        sandbox.faults.append(
            lambda r: Answer(500) if r.stream == above and page in r.path else None
        )
        more = {"all_streams": True, "emit_activate_version_messages": True, "max_retries": 0}
        result = run_tap(
            settings(sandbox, **more), catalog_=vendor_catalog(sandbox, above, below), timeout=60
        )
    assert {result.outcome(above), result.outcome(below)} == {"failed"}
    assert len(result.records[below]) > 0
    assert result.of("ACTIVATE_VERSION") == []
