"""Further streams of Factorial: what payrolls are made of."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class PayrollSupplements(FactorialStream):
    """Supplements to the salary."""

    name = "workforce_payroll_supplements"
    path = "/payroll/supplements"
    references = {
        "contracts_compensation_id": "workforce_contracts_compensations.id",
        "contracts_taxonomy_id": "workforce_taxonomies.id",
        "employee_id": "workforce_employees.id",
        "legal_entity_id": "workforce_legal_entities.id",
    }


class CompensationsConcepts(FactorialStream):
    """Kinds of what payrolls pay."""

    name = "workforce_compensations_concepts"
    path = "/compensations/concepts"


class CompensationsCycles(FactorialStream):
    """How often payrolls are run."""

    name = "workforce_compensations_cycles"
    path = "/compensations/cycles"


class PayrollRuns(FactorialStream):
    """Payrolls."""

    name = "workforce_payroll_runs"
    path = "/compensations/payroll_runs"
    references = {
        "cycle_id": "workforce_compensations_cycles.id",
    }


class PayrollResults(FactorialStream):
    """What a payroll pays."""

    name = "workforce_payroll_results"
    path = "/compensations/payroll_results"
    replication_key = "updated_at"
    references = {
        "payroll_concept_id": "workforce_compensations_concepts.id",
        "payroll_run_id": "workforce_payroll_runs.id",
    }


class AdditionalCompensations(FactorialStream):
    """What payrolls add to the salary of a contract."""

    name = "workforce_additional_compensations"
    path = "/compensations/additional_compensations"
    references = {
        "contract_version_id": "workforce_contract_versions.id",
        "employee_id": "workforce_employees.id",
        "payroll_concept_id": "workforce_compensations_concepts.id",
    }


class EmployeesCompensations(FactorialStream):
    """What employees are paid in a payroll."""

    name = "workforce_employees_compensations"
    path = "/compensations/employees_compensations"
    replication_key = "updated_at"
    references = {
        "created_by_employee_id": "workforce_employees.id",
        "last_updated_by_employee_id": "workforce_employees.id",
        "payroll_concept_id": "workforce_compensations_concepts.id",
        "payroll_run_id": "workforce_payroll_runs.id",
    }


STREAMS = (
    PayrollSupplements,
    CompensationsConcepts,
    CompensationsCycles,
    PayrollRuns,
    PayrollResults,
    AdditionalCompensations,
    EmployeesCompensations,
)
