"""Several accounts in one run: side by side, told apart, and none in another's way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer
from tests.helpers.comparing import by_key, expected_rows
from tests.helpers.contract import BY_NAME
from tests.helpers.support import ROOT, Result, catalog, entry_of, environment, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_analytics.sandbox import Sandbox
    from tests.helpers.support import Record

    OpenSandbox = Callable[..., Sandbox]

STREAMS = ("accounts", "contacts", "gates", "gates_rules", "layers", "tags", "tasks")
APIS = ("experimentation", "sales", "workforce")


def account(name: str, sandbox: Sandbox, **more: Any) -> Record:
    """Return the settings of an account that a sandbox stands for."""
    own = {key: value for key, value in sandbox.config().items() if key.startswith(APIS)}
    return {"name": name, **own, **more}


def config_of(*accounts: Record, **more: Any) -> Record:
    return {"accounts": list(accounts), "backoff_factor": 0.01, **more}


def read(config: Record, *streams: str, **more: Any) -> Result:
    chosen = catalog(*(streams or STREAMS), config={"accounts": config["accounts"]})
    return run_tap(config, catalog_=chosen, **more)


def assert_holds(result: Result, sandbox: Sandbox, name: str, *streams: str) -> None:
    """Compare what was written for an account with what its sandbox holds."""
    for stream in streams or STREAMS:
        schema = result.schemas[stream]["schema"]
        keys = BY_NAME[stream].keys
        assert result.schemas[stream]["key_properties"] == ["account", *keys]
        rows = [row for row in result.records[stream] if row["account"] == name]
        rows = [{k: v for k, v in row.items() if k != "account"} for row in rows]
        wanted = expected_rows(sandbox.store, stream)
        assert by_key(rows, schema, keys) == by_key(wanted, schema, keys), (name, stream)


def plain(result: Result) -> list[Record]:
    """Return the messages of a run without its times and states."""
    left_out = {"time_extracted", "version"}
    return [
        {k: v for k, v in line.items() if k not in left_out}
        for line in result.lines
        if line["type"] != "STATE"
    ]


def test_every_account_comes_whole_and_the_order_does_not_depend_on_threads(
    open_sandbox: OpenSandbox,
) -> None:
    acme, beta = open_sandbox(records=12), open_sandbox(records=30)
    config = config_of(account("acme", acme), account("beta", beta))
    result = read(config)
    assert result.status == 0, result.stderr[-2000:]
    assert_holds(result, acme, "acme")
    assert_holds(result, beta, "beta")
    schemas = Counter(line["stream"] for line in result.of("SCHEMA"))
    assert set(schemas.values()) == {1}
    assert plain(read({**config, "max_concurrency": 1})) == plain(result)
    again = read(config, state=result.state)
    assert again.status == 0
    assert again.state == result.state
    assert 0 < len(again.records["tasks"]) <= 4
    assert set(result.state["bookmarks"]["tasks"]["accounts"]) == {"acme", "beta"}


def test_one_accounts_failure_is_that_accounts(open_sandbox: OpenSandbox) -> None:
    acme, beta = open_sandbox(records=9), open_sandbox(records=9)
    refused = account("beta", beta, sales_api_key="not-the-key")
    config = config_of(account("acme", acme), refused, emit_activate_version_messages=True)
    result = read(config)
    assert result.status == 1
    assert_holds(result, acme, "acme")
    assert_holds(result, beta, "beta", "tasks", "tags", "gates", "gates_rules")
    assert not [row for row in result.records["accounts"] if row["account"] == "beta"]
    activated = {line["stream"] for line in result.of("ACTIVATE_VERSION")}
    assert "tags" in activated
    assert not activated & {"accounts", "contacts"}
    assert "accounts of beta" in result.stderr
    assert "not-the-key" not in result.stderr


def test_an_account_that_is_added_is_read_from_the_start_and_one_removed_leaves_the_state(
    open_sandbox: OpenSandbox,
) -> None:
    acme, beta = open_sandbox(records=9), open_sandbox(records=9)
    first = read(config_of(account("acme", acme)), "tasks")
    assert first.status == 0
    both = config_of(account("acme", acme), account("beta", beta))
    second = read(both, "tasks", state=first.state)
    counts = Counter(row["account"] for row in second.records["tasks"])
    assert counts["beta"] == 9
    assert counts["acme"] < 9
    third = read(config_of(account("beta", beta)), "tasks", state=second.state)
    assert set(third.state["bookmarks"]["tasks"]["accounts"]) == {"beta"}
    assert third.state["bookmarks"]["tasks"].keys() == {"accounts", "carried"}


@pytest.mark.parametrize(
    "part", [{"covers": [{}]}, {"rows": "abc"}, {"replication_key_value": []}, {"version": 1 << 70}]
)
def test_a_malformed_bookmark_of_one_account_is_none_of_that_account_alone(
    open_sandbox: OpenSandbox, part: Record
) -> None:
    acme, beta = open_sandbox(records=9), open_sandbox(records=9)
    both = config_of(account("acme", acme), account("beta", beta))
    state = read(both, "tasks").state
    state["bookmarks"]["tasks"]["accounts"]["beta"].update(part)
    result = read(both, "tasks", state=state)
    assert result.status == 0, result.stderr[-2000:]
    counts = Counter(row["account"] for row in result.records["tasks"])
    assert counts["beta"] == 9
    assert counts["acme"] < 9
    assert f"the state of 'tasks of beta' is malformed at '{next(iter(part))}'" in result.stderr


def test_settings_may_differ_by_account(open_sandbox: OpenSandbox) -> None:
    acme, beta = open_sandbox(records=30), open_sandbox(records=30)
    late = account("beta", beta, workforce_page_size=7)
    result = read(config_of(account("acme", acme), late), "tasks")
    assert result.status == 0
    sizes = [{request.params["limit"] for request in one.requests} for one in (acme, beta)]
    assert sizes[0] != sizes[1] == {"7"}


def test_a_catalog_from_before_there_were_accounts_does_not_merge_them(
    open_sandbox: OpenSandbox,
) -> None:
    acme, beta = open_sandbox(records=5), open_sandbox(records=5)
    config = config_of(account("acme", acme), account("beta", beta))
    chosen = catalog("tags", config={"accounts": config["accounts"]})
    entry = entry_of(chosen, "tags")
    entry["key_properties"] = ["id"]
    entry["schema"]["properties"].pop("account")
    entry["metadata"] = [
        part for part in entry["metadata"] if part["breadcrumb"] != ["properties", "account"]
    ]
    result = run_tap(config, catalog_=chosen)
    assert result.status == 0
    assert result.schemas["tags"]["key_properties"] == ["account", "id"]
    assert Counter(row["account"] for row in result.records["tags"]) == {"acme": 5, "beta": 5}


def test_a_child_failing_in_one_account_does_not_hold_the_others_bookmark(
    open_sandbox: OpenSandbox,
) -> None:
    acme, beta = open_sandbox(records=9), open_sandbox(records=9)
    beta.faults.append(lambda r: Answer(500, body=b"{}") if r.stream == "gates_rules" else None)
    config = config_of(account("acme", acme), account("beta", beta), max_retries=0)
    result = read(config, "gates", "gates_rules")
    assert result.status == 1
    assert_holds(result, acme, "acme", "gates", "gates_rules")
    bookmarks = result.state["bookmarks"]["gates"]["accounts"]
    assert bookmarks["beta"]["replication_key_value"] <= bookmarks["acme"]["replication_key_value"]
    beta.faults.clear()
    healed = read(config, "gates", "gates_rules", state=result.state)
    assert healed.status == 0
    assert_holds(healed, beta, "beta", "gates_rules")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_many_accounts_are_read_where_a_shell_allows_few_files(
    open_sandbox: OpenSandbox, tmp_path: Path
) -> None:
    sandbox = open_sandbox(records=9, latency=0.05)
    config = config_of(*(account(f"account-{n}", sandbox) for n in range(12)))
    chosen = catalog(*STREAMS, config={"accounts": config["accounts"]})
    for name, content in {"config": config, "catalog": chosen}.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    given = [f"--{name}={tmp_path / name}" for name in ("config", "catalog")]
    tap = [sys.executable, "-m", "tap_analytics", *given]
    done = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", 'ulimit -Sn 24 && exec "$@"', "sh", *tap],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
