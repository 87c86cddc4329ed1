"""A Meltano project of one's own: from the definition file alone, and with two accounts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from psycopg import sql

from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.environment import variables

from .conftest import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.sandbox.postgres import ThrowawayPostgres

pytestmark = pytest.mark.slow

DEFINITION = Path(__file__).parents[2] / "tap_analytics/plugin.yml"
SALES = ("accounts", "contacts", "open_tasks", "past_appointments", "won_deals")


@pytest.fixture(scope="module")
def wheels(newcomer: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the tap as it is released, in place of the package index."""
    folder = tmp_path_factory.mktemp("wheels")
    newcomer.run("uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), env={})
    return folder


@pytest.fixture
def fresh(project: Project, wheels: Path, tmp_path: Path) -> Project:
    """A project as `meltano init` leaves it."""
    env = project.env | {"UV_FIND_LINKS": str(wheels)}
    Project(tmp_path, env).meltano("init", "fresh", env={})
    return Project(tmp_path / "fresh", env)


def loader(project: Project, name: str) -> str:
    """Write the definition of one of our loaders into a file, and return where."""
    ours = yaml.safe_load((DEFINITION.parents[1] / "meltano.yml").read_text(encoding="utf-8"))
    (found,) = [plugin for plugin in ours["plugins"]["loaders"] if plugin["name"] == name]
    file = project.folder / f"{name}.yml"
    file.write_text(yaml.safe_dump(found), encoding="utf-8")
    return str(file)


def test_a_fresh_project_needs_nothing_but_the_definition(
    fresh: Project, apis: dict[str, str], sandbox: Sandbox
) -> None:
    fresh.meltano("add", "--from-ref", str(DEFINITION), "tap-analytics", env={})
    target = loader(fresh, "target-jsonl")
    fresh.meltano("add", "--from-ref", target, "target-jsonl", env={})
    fresh.meltano("run", "tap-analytics", "target-jsonl", env=apis)
    loaded = {path.stem: path for path in (fresh.folder / "output").glob("*.jsonl")}
    for stream in SALES:
        rows = loaded[stream].read_text(encoding="utf-8").count("\n")
        assert rows == len(sandbox.store.expected(stream)), stream


def account(name: str, sandbox: Sandbox) -> dict[str, str]:
    """Return the variables that give an inherited plugin its account."""
    return {
        key.replace("TAP_ANALYTICS_", f"TAP_ANALYTICS__{name}_"): value
        for key, value in variables(sandbox.config()).items()
        if key.startswith("TAP_ANALYTICS_SALES_")
    }


@pytest.fixture
def accounts() -> Iterator[dict[str, Sandbox]]:
    """Two accounts whose rows have the same ids."""
    with Sandbox(records=6) as acme, Sandbox(records=9) as globex:
        yield {"acme": acme, "globex": globex}


def rows(postgres: ThrowawayPostgres, account: str) -> dict[str, list[Any]]:
    """Return the ids an account's schema holds, by table."""
    ids = sql.SQL("select id from {} order by id")
    with psycopg.connect(postgres.url) as connection:
        found = {
            table: connection.execute(
                ids.format(sql.Identifier(f"tap_analytics__{account}", table))
            ).fetchall()
            for table in SALES
        }
    return {table: [key for (key,) in keys] for table, keys in found.items()}


def test_two_accounts_load_side_by_side_into_a_schema_each(
    project: Project, postgres: ThrowawayPostgres, accounts: dict[str, Sandbox]
) -> None:
    env = postgres.variables()
    for name, sandbox in accounts.items():
        env |= account(name.upper(), sandbox)

    def load(name: str) -> None:
        project.meltano("run", f"tap-analytics--{name}", "target-postgres", env=env)

    with ThreadPoolExecutor() as pool:
        list(pool.map(load, accounts))
    for name, sandbox in accounts.items():
        wanted = {
            table: sorted(row["id"] for row in sandbox.store.expected(table)) for table in SALES
        }
        assert rows(postgres, name) == wanted, name


def test_the_environment_prod_selects_and_hashes(
    project: Project, apis: dict[str, str], sandbox: Sandbox
) -> None:
    env = apis | {"MELTANO_ENVIRONMENT": "prod", "HASH_SALT": "pepper"}
    project.meltano("run", "tap-analytics", "target-jsonl", env=env)
    output = project.folder / "output"
    assert not (output / "audit_logs.jsonl").exists()
    assert not (output / "subscribers.jsonl").exists()
    lines = (output / "contacts.jsonl").read_text(encoding="utf-8").splitlines()
    contacts = {row["id"]: row for row in map(json.loads, lines)}
    served = sandbox.store.expected("contacts")
    assert len(contacts) == len(served)
    for row in served:
        mail = row["email"]
        hashed = sha256(f"pepper{mail}".encode()).hexdigest() if mail else None
        assert contacts[row["id"]]["email"] == hashed
        assert "work_number" not in contacts[row["id"]]
