"""Quotas by the hour, in fast-forward: met without a refusal, or said until when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Quota, Sandbox
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import vendor_catalog

if TYPE_CHECKING:
    from tests.helpers.support import Result

DOCUMENTED = {"sales": ("open_tasks",), "esignature": ("user", "user_modified_documents")}


def read(sandbox: Sandbox, api: str) -> Result:
    """Read the streams of one vendor that only it has, and some that are documented."""
    names = [entry["tap_stream_id"] for entry in vendor_catalog(sandbox)["streams"]]
    wanted = [name for name in names if name.startswith(f"{api}_") or name in DOCUMENTED[api]]
    return run_tap(settings(sandbox, api), catalog_=vendor_catalog(sandbox, *wanted))


@pytest.mark.slow
@pytest.mark.parametrize(("api", "epoch"), [("sales", True), ("esignature", False)])
def test_a_quota_is_met_without_a_refusal(api: str, *, epoch: bool) -> None:
    with Sandbox(records=3, upstreams=True, quota=Quota(6, 1.5, epoch=epoch)) as sandbox:
        result = read(sandbox, api)
        assert result.status == 0, result.stderr[-2000:]
        assert len(sandbox.requests) > 6
        assert {row["retries"] for row in result.report.values()} == {0}
        waits = [row["waits"] for row in result.report.values()]
        assert any("rate" in wait for wait in waits)
        assert not any("told" in wait for wait in waits)


@pytest.mark.parametrize("api", ["sales", "esignature"])
def test_a_wait_that_is_too_long_is_known_and_said(api: str) -> None:
    with Sandbox(records=3, upstreams=True, quota=Quota(5, 3600)) as sandbox:
        result = read(sandbox, api)
        assert result.status == 1
        assert {row["retries"] for row in result.report.values()} == {0}
        reasons = {row["reason"] for row in result.report.values() if row["status"] == "failed"}
        own = {reason for reason in reasons if "which it is read below" not in reason}
        assert own
        for reason in own:
            assert re.search(r"limit is spent until 20\S+Z", reason)
        assert len(sandbox.requests) == 5
