"""What is left of a night in Meltano's log, and several accounts in one plugin."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tap_analytics.sandbox.environment import variables

if TYPE_CHECKING:
    from .conftest import Project

pytestmark = pytest.mark.slow

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
DOCUMENTED = re.search(r"`meltano run … (2>&1 \| grep [^`]+)`", README)


def test_the_command_of_the_readme_shows_only_what_decides(project: Project) -> None:
    assert DOCUMENTED
    with Sandbox(records=5) as sandbox:
        sandbox.faults.append(
            lambda request: {
                "contacts": Answer(403, body=b'{"message": "no right to contacts"}'),
                "won_deals": Answer(500, body=b"{}"),
            }.get(request.stream)
        )
        sales = {key: value for key, value in variables(sandbox.config()).items() if "SALES" in key}
        env = sales | {"TAP_ANALYTICS_MAX_RETRIES": "1", "TAP_ANALYTICS_BACKOFF_FACTOR": "0.01"}
        night = project.meltano("run", "tap-analytics", "target-jsonl", env=env, status=1)
    log = project.folder / "night.log"
    log.write_text(night.stdout + night.stderr, encoding="utf-8")
    shown = subprocess.run(  # noqa: S602 - as a reader types it
        f"cat night.log {DOCUMENTED[1].replace('2>&1', '')}",
        shell=True,
        cwd=project.folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert len(shown) < len(log.read_text(encoding="utf-8").splitlines()) / 2
    told = "\n".join(shown)
    assert "contacts: GET /v1/contacts answered 403: no right to contacts" in told
    assert "won_deals: GET /v1/deals answered 500" in told
    assert re.search(r"3 of 5 streams complete, 1 failed, 1 denied, 15 records in \d+ s", told)
    assert len([line for line in shown if "tap-analytics" in line]) <= 5, told


def test_accounts_in_one_plugin_take_their_keys_from_variables(project: Project) -> None:
    with Sandbox(records=4) as acme, Sandbox(records=7) as globex:
        of_acme, of_globex = (sandbox.config() for sandbox in (acme, globex))
        keys = {"ACME_KEY": of_acme["sales_api_key"], "GLOBEX_KEY": "wr0ng-of-globex"}
        accounts = [
            {"name": "acme", "sales_api_key": "$ACME_KEY"}
            | {"sales_base_url": of_acme["sales_base_url"]},
            {"name": "globex", "sales_api_key": "$GLOBEX_KEY"}
            | {"sales_base_url": of_globex["sales_base_url"]},
        ]
        given = json.dumps(accounts)
        store = (
            "--store",
            "meltano_yml",
        )  # a secret would else go to .env, whose values stay as is
        project.meltano("config", "set", *store, "tap-analytics", "accounts", given, env=keys)
        try:
            shown = project.meltano("config", "print", "tap-analytics", env=keys).stdout
            assert not [key for key in keys.values() if key in shown]
            env = keys | {"MELTANO_ENVIRONMENT": "dev"}
            ran = project.meltano("run", "tap-analytics", "target-jsonl", env=env, status=1)
        finally:
            project.meltano("config", "unset", *store, "tap-analytics", "accounts", env={})
    assert "accounts of globex: GET /v1/accounts answered 401" in ran.stderr
    (summary,) = [line for line in ran.stderr.splitlines() if "streams complete" in line]
    assert "5 of 10 streams complete, 5 denied, " in summary
    assert not [key for key in keys.values() if key in ran.stdout + ran.stderr]
    lines = (project.folder / "output/accounts.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len([row for row in rows if row.get("account") == "acme"]) == 4
