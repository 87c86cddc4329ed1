"""The first command of the README, as a newcomer types it, and then once more."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Store
from tap_analytics.sandbox.contracts import UPSTREAMS
from tests.helpers.vendors import CORE as LISTED

if TYPE_CHECKING:
    from tap_analytics.engine.stream import AnalyticsStream

    from .conftest import Project

pytestmark = pytest.mark.slow

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROWS = re.compile(r"^ +([\d,]+)  (\w+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def command() -> list[str]:
    """The command with few records, and without `uv run`, under which the tests run already."""
    found = re.search(r"^uv run (tap-analytics-sandbox .*)$", README, re.MULTILINE)
    assert found
    program, *rest = shlex.split(found[1])
    return [program, "--records", "5", *rest]


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_table_is_listed_with_all_its_rows(
    newcomer: Project, command: list[str], streams: dict[str, AnalyticsStream], time: str
) -> None:
    told = newcomer.run(*command, env={}).stderr
    store = Store(5)
    listed = {name: int(rows.replace(",", "")) for rows, name in ROWS.findall(told)}
    assert listed == {name: len(store.expected(name)) for name in streams}, time


def test_the_vendors_tables_are_listed_with_all_their_rows(
    newcomer: Project, command: list[str]
) -> None:
    """With `--upstreams`, as the README says next."""
    told = newcomer.run(command[0], "--upstreams", *command[1:], env={}).stderr
    store = Store(5, apis=UPSTREAMS)
    listed = {name: int(rows.replace(",", "")) for rows, name in ROWS.findall(told)}
    assert listed == {
        name: len(store.expected(name)) for name in (stream.name for stream in LISTED)
    }
    assert "failed" not in told.splitlines()[-1]


def test_a_load_that_fails_is_the_last_thing_said(newcomer: Project, command: list[str]) -> None:
    """After all that Meltano has to say."""
    told = newcomer.run(*command, env={"TAP_ANALYTICS_MAX_CONCURRENCY": "0"}, status=1).stderr
    assert told.splitlines()[-1].startswith("failed: meltano run tap-analytics target-postgres ")
    assert "exit status 1" in told.splitlines()[-1]
