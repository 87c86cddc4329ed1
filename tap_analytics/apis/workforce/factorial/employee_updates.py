"""Further streams of Factorial: changes of employees that payroll has to know of."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class EmployeeUpdatesTerminations(FactorialStream):
    """Employees who leave."""

    name = "workforce_employee_updates_terminations"
    path = "/employee_updates/terminations"
    references = {
        "employee_id": "workforce_employees.id",
        "legal_entity_id": "workforce_legal_entities.id",
    }


class EmployeeUpdatesAbsences(FactorialStream):
    """Time off that was taken or changed."""

    name = "workforce_employee_updates_absences"
    path = "/employee_updates/absences"
    references = {
        "employee_id": "workforce_employees.id",
        "leave_type_id": "workforce_leave_types.id",
    }


class EmployeeUpdatesContractChanges(FactorialStream):
    """Contracts that changed."""

    name = "workforce_employee_updates_contract_changes"
    path = "/employee_updates/contract_changes"
    references = {
        "employee_id": "workforce_employees.id",
    }


class EmployeeUpdatesSummaries(FactorialStream):
    """All changes, by kind and state."""

    name = "workforce_employee_updates_summaries"
    path = "/employee_updates/summaries"
    references = {
        "employee_id": "workforce_employees.id",
        "legal_entity_id": "workforce_legal_entities.id",
    }


STREAMS = (
    EmployeeUpdatesTerminations,
    EmployeeUpdatesAbsences,
    EmployeeUpdatesContractChanges,
    EmployeeUpdatesSummaries,
)
