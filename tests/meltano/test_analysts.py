"""What people build dashboards on: from a vendor into PostgreSQL, joined as it is declared."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tap_analytics.apis import PACKAGES
from tap_analytics.engine.registry import references
from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.environment import variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.sandbox import Store
    from tap_analytics.sandbox.postgres import ThrowawayPostgres

    from .conftest import Project

pytestmark = pytest.mark.slow

SUBJECTS = {
    "time and pay": (
        "workforce_employees",
        "workforce_contract_versions",
        "workforce_contracts_compensations",
        "workforce_taxonomies",
        "workforce_attendance_shifts",
        "workforce_break_configurations",
        "workforce_worked_times",
        "workforce_estimated_times",
        "workforce_overtime_requests",
        "workforce_allowances",
        "workforce_allowance_stats",
        "workforce_allowance_incidences",
        "workforce_policies",
        "workforce_policy_assignments",
    ),
    "results of experiments": (
        "experiments",
        "experimentation_experiments_groups",
        "experimentation_experiments_pulse_results",
        "experimentation_experiments_cumulative_exposures",
        "metrics",
    ),
    "overrides": (
        "experiments",
        "experimentation_experiments_overrides",
        "gates",
        "experimentation_gates_overrides",
        "holdouts",
        "experimentation_holdouts_overrides",
        "layers",
        "experimentation_layers_overrides",
    ),
    "owners and pipelines": (
        "sales_owners",
        "sales_deal_pipelines",
        "sales_deal_stages",
        "accounts",
        "contacts",
        "sales_deals",
    ),
    "folders and document groups": (
        "esignature_folders",
        "esignature_folder_documents",
        "esignature_document_groups",
        "esignature_document_group_documents",
        "esignature_document_group_details",
        "esignature_document_group_recipients",
    ),
}
"""The streams of each subject: facts with the dimensions that they point to."""


class Warehouse:
    """What an analyst sees: tables in a schema."""

    def __init__(self, postgres: ThrowawayPostgres) -> None:
        """Take the database."""
        self._postgres = postgres

    def query(self, text: str, *names: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, with names put in for its `{}`."""
        query = sql.SQL(text).format(*map(sql.Identifier, names))  # type: ignore[arg-type,unused-ignore]
        with psycopg.connect(self._postgres.url) as connection:
            connection.execute("set search_path to tap_analytics")
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def vendors() -> Iterator[Sandbox]:
    with Sandbox(records=40, upstreams=True) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def warehouse(project: Project, postgres: ThrowawayPostgres, vendors: Sandbox) -> Warehouse:
    chosen = [f"{stream}.*" for streams in SUBJECTS.values() for stream in streams]
    project.meltano(
        *("run", "tap-analytics", "target-postgres"),
        env=variables(vendors.config())
        | postgres.variables()
        | {"TAP_ANALYTICS_ALL_STREAMS": "true", "TAP_ANALYTICS__SELECT": json.dumps(chosen)},
    )
    return Warehouse(postgres)


def declared(subject: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield stream and column, and stream and column that it points to."""
    for package in PACKAGES:
        for vendor in package.upstreams.values():
            every: tuple[Any, ...] = vendor.streams
            for stream in every:
                for column, target in references(stream).items():
                    pointed, _, key = target.partition(".")
                    if {str(stream.name), pointed} <= set(SUBJECTS[subject]):
                        yield str(stream.name), column, pointed, key


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_declared_join_finds_its_rows(warehouse: Warehouse, subject: str) -> None:
    found = {}
    for stream, column, target, key in declared(subject):
        query = """
            select count(fact.{1}), count(fact.{1}) filter (where dimension.{3} is null)
            from {0} as fact left join {2} as dimension on dimension.{3} = fact.{1}
        """
        found[stream, column] = warehouse.query(query, stream, column, target, key)[0]
    joined = {stream for stream, _ in found} | {target for _, _, target, _ in declared(subject)}
    assert joined == set(SUBJECTS[subject])
    assert {place: missing for place, (_, missing) in found.items() if missing} == {}
    assert [place for place, (rows, _) in found.items() if not rows] == []


def totals(store: Store, stream: str, by: str, column: str) -> dict[str, int]:
    """Add up a column of the sandbox's rows."""
    sums: dict[str, int] = defaultdict(int)
    for row in store.expected(stream):
        if row[by] is not None:
            sums[row[by]] += row[column] or 0
    return dict(sums)


def test_minutes_and_pay_add_up_by_employee(warehouse: Warehouse, vendors: Sandbox) -> None:
    """As on the dashboard: what was clocked, what it counts for, and what is paid besides."""
    for stream in ("workforce_attendance_shifts", "workforce_worked_times"):
        query = """
            select e.id, sum(coalesce(t.minutes, 0))::bigint
            from {0} as t join workforce_employees as e on e.id = t.employee_id group by e.id
        """
        minutes = totals(vendors.store, stream, "employee_id", "minutes")
        assert minutes
        assert dict(warehouse.query(query, stream)) == minutes
    pay = """
        select v.id, sum(coalesce(c.amount, 0))::bigint
        from workforce_contracts_compensations as c
        join workforce_contract_versions as v on v.id = c.contract_version_id
        left join workforce_employees as e on e.id = v.employee_id
        group by v.id
    """
    paid = totals(
        vendors.store, "workforce_contracts_compensations", "contract_version_id", "amount"
    )
    assert dict(warehouse.query(pay)) == paid


def test_what_is_left_of_allowances_has_a_day(warehouse: Warehouse, vendors: Sandbox) -> None:
    query = """
        select s.id, a.name, e.full_name, s.reference_date
        from workforce_allowance_stats as s
        left join workforce_allowances as a on a.id = s.allowance_id
        left join workforce_employees as e on e.id = s.employee_id
    """
    rows = warehouse.query(query)
    assert len(rows) == len(vendors.store.expected("workforce_allowance_stats"))
    assert len({day for *_, day in rows}) == 1
    assert None not in {day for *_, day in rows}


def test_exposures_add_up_by_experiment_and_group(warehouse: Warehouse, vendors: Sandbox) -> None:
    query = """
        select e.id, g.id, sum(coalesce(x.exposures, 0))::bigint
        from experimentation_experiments_cumulative_exposures as x
        join experiments as e on e.id = x.experiment_id
        join experimentation_experiments_groups as g
        on g.experiment_id = e.id and g.id = x.{}
        group by e.id, g.id
    """
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    for row in vendors.store.expected("experimentation_experiments_cumulative_exposures"):
        wanted[row["experiment_id"], row["groupID"]] += row["exposures"] or 0
    found = {(one, group): count for one, group, count in warehouse.query(query, "groupID")}
    assert found == wanted
    assert found


def test_deals_add_up_by_owner_and_stage(warehouse: Warehouse, vendors: Sandbox) -> None:
    """As on the dashboard: every deal, whatever became of it, with whose and where it is."""
    query = """
        select d.view_name, count(*), count(o.id), count(s.id), count(p.id), count(a.id)
        from sales_deals as d
        left join sales_owners as o on o.id = d.owner_id
        left join sales_deal_stages as s on s.id = d.deal_stage_id
        left join sales_deal_pipelines as p on p.id = d.deal_pipeline_id
        left join accounts as a on a.id = d.sales_account_id
        group by d.view_name
    """
    columns = ("owner_id", "deal_stage_id", "deal_pipeline_id", "sales_account_id")
    views = {
        "Open Deals": "sales_open_deals",
        "Won Deals": "won_deals",
        "Lost Deals": "sales_lost_deals",
    }
    wanted = {}
    for view, stream in views.items():
        rows = vendors.store.expected(stream)
        filled = [sum(row[name] is not None for row in rows) for name in columns]
        wanted[view] = (len(rows), *filled)
    assert {view: tuple(counts) for view, *counts in warehouse.query(query)} == wanted


def test_documents_are_found_in_folders_and_groups(warehouse: Warehouse, vendors: Sandbox) -> None:
    query = """
        select count(*), count(f.id), count(g.group_id), count(r.name)
        from esignature_document_group_documents as d
        join esignature_document_groups as g on g.group_id = d.document_group_id
        left join (select distinct id, parent_id from esignature_folder_documents) as i
            on i.id = d.id
        left join esignature_folders as f on f.id = i.parent_id
        left join esignature_document_group_recipients as r
            on r.document_group_id = g.group_id
    """
    ((rows, folders, groups, recipients),) = warehouse.query(query)
    assert rows == groups >= len(vendors.store.expected("esignature_document_group_documents"))
    assert folders
    assert recipients
