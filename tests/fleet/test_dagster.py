"""The documented example for Dagster, run by Dagster."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_analytics import fleet
from tests.fleet.support import account
from tests.helpers.environments import installed
from tests.helpers.support import ROOT, environment

if TYPE_CHECKING:
    from tests.fleet.support import Work

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info >= (3, 14), reason="Dagster may have no wheels for it yet"),
]
README = Path(fleet.__file__).with_name("README.md").read_text(encoding="utf-8")


def test_an_account_of_an_api_is_a_partition_of_an_asset(work: Work, tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    example = tmp_path / "fleet.py"
    example.write_text(code, encoding="utf-8")
    plan, _ = work.files(
        account(work.sandbox, "acme"), account(work.sandbox, "globex", sales_api_key="wrong")
    )
    programs = installed("dagster>=1.12", "-e", f"{ROOT}[dask]")
    env = environment(
        DAGSTER_HOME=str(tmp_path),
        FLEET_ACCOUNTS=plan,
        FLEET_STATE=work.store,
        FLEET_TARGET=shlex.join(work.target()),
    )

    def materialize(partition: str) -> subprocess.CompletedProcess[str]:
        asset = ("asset", "materialize", "-f", str(example), "--select", "sales")
        return subprocess.run(  # noqa: S603
            [str(programs / "dagster"), *asset, "--partition", partition],
            cwd=tmp_path,
            env=env,
            check=False,
            capture_output=True,
            text=True,
            timeout=180,
        )

    done = materialize("acme")
    assert done.returncode == 0, done.stderr[-3000:]
    assert work.rows()["acme", "accounts"] == len(work.sandbox.store.expected("accounts"))
    assert {stream for _, stream in work.rows()} == {
        "contacts",
        "accounts",
        "won_deals",
        "open_tasks",
        "past_appointments",
    }
    assert work.state("acme.sales")
    failed = materialize("globex")
    assert failed.returncode != 0
    assert "globex.sales: " in failed.stderr
    assert "wrong" not in failed.stderr
