"""SignNow with tokens that die: renewed within a run, refused in words, and never shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.support import catalog, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Sandbox
    from tests.helpers.support import Result

STREAMS = ("user", "user_modified_documents", "esignature_teams")
KEY = "esignature_api_key_id"


@pytest.fixture
def signnow(open_sandbox: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    return lambda **more: open_sandbox(records=60, upstreams=True, **more)


def settings(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """Return the settings that renew tokens, with the key that is in use."""
    given = {**sandbox.config(), **sandbox.renewal()}
    ours = {name: value for name, value in given.items() if name.startswith("esignature_")}
    return {**ours, "backoff_factor": 0.01, **more}


def read(sandbox: Sandbox, config: dict[str, Any]) -> Result:
    chosen = catalog(*STREAMS, config={"esignature_upstream": "signnow"})
    result = run_tap(config, catalog_=chosen)
    written = result.stderr + json.dumps([*result.lines, result.report])
    sent = {request.headers["authorization"].split()[-1] for request in sandbox.requests}
    secrets = {value for name, value in config.items() if name.endswith(("_token", "_secret"))}
    assert [secret for secret in sent | secrets if secret in written] == []
    return result


def grants(sandbox: Sandbox) -> int:
    return sum(request.path == "/oauth2/token" for request in sandbox.requests)


def test_without_a_key_a_token_is_asked_for(signnow: Callable[..., Sandbox]) -> None:
    sandbox = signnow()
    config = settings(sandbox)
    del config[KEY]
    result = read(sandbox, config)
    assert result.status == 0
    assert all(result.records[stream] for stream in STREAMS)
    assert grants(sandbox) == 1


def test_a_key_that_lives_is_used(signnow: Callable[..., Sandbox]) -> None:
    sandbox = signnow()
    assert read(sandbox, settings(sandbox)).status == 0
    assert grants(sandbox) == 0


def test_a_key_that_is_dead_is_renewed_once_for_all_streams(
    signnow: Callable[..., Sandbox],
) -> None:
    sandbox = signnow()
    result = read(sandbox, settings(sandbox, **{KEY: "a-key-of-last-year"}))
    assert result.status == 0
    assert all(result.records[stream] for stream in STREAMS)
    assert grants(sandbox) == 1
    assert sum(row["retries"] for row in result.report.values()) == 0


def test_tokens_that_die_within_the_run_are_renewed(signnow: Callable[..., Sandbox]) -> None:
    sandbox = signnow(token_seconds=0.6, latency=0.15)
    config = settings(sandbox, max_concurrency=1, esignature_page_size=5)
    result = read(sandbox, config)
    assert result.status == 0
    assert all(result.records[stream] for stream in STREAMS)
    assert grants(sandbox) > 1


@pytest.mark.parametrize("name", ["refresh_token", "client_secret"])
def test_what_is_refused_names_the_settings(signnow: Callable[..., Sandbox], name: str) -> None:
    sandbox = signnow()
    config = settings(sandbox, **{f"esignature_{name}": "nobody-knows-it"})
    del config[KEY]
    result = read(sandbox, config)
    assert result.status == 1
    assert {row["status"] for row in result.report.values()} == {"denied"}
    assert "'esignature_refresh_token'" in result.report["user"]["reason"]
    assert grants(sandbox) == 1
