"""Lists that an account does not have: denied, in words that help, and no harm to the others."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from tap_analytics.apis import PACKAGES
from tap_analytics.sandbox import Sandbox
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
