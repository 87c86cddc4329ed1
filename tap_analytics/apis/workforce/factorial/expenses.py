"""Further streams of Factorial: expenses, mileages and per diems."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream
from tap_analytics.apis.workforce.factorial.keys import OptionalId

_WITH_DRAFTS = {"include_manual_drafts": "true", "include_attachments": "false"}
_FILES = ("files.download_url", "files.url")


class Expenses(OptionalId):
    """Expenses, drafts included."""

    name = "workforce_expenses"
    path = "/expenses/expenses"
    fixed_params = _WITH_DRAFTS
    left_out = (
        "access_token",
        *_FILES,
        "signed_document.original_files",
        "signed_document.file",
    )
    references = {
        "employee_id": "workforce_employees.id",
        "expenses_expensable_id": "workforce_expensables.id",
        "project_id": "workforce_projects.id",
    }


class Expensables(FactorialStream):
    """Expenses, mileages and per diems together, each with its status."""

    name = "workforce_expensables"
    path = "/expenses/expensables"
    fixed_params = {"include_grouped": "true", **_WITH_DRAFTS}
    references = {
        "employee_id": "workforce_employees.id",
        "expense_id": "workforce_expenses.id",
        "legal_entity_id": "workforce_legal_entities.id",
        "mileage_id": "workforce_mileages.id",
        "per_diem_id": "workforce_per_diems.id",
        "project_id": "workforce_projects.id",
        "reporter_id": "workforce_employees.id",
    }


class Mileages(FactorialStream):
    """Journeys that are paid by distance."""

    name = "workforce_mileages"
    path = "/expenses/mileages"
    fixed_params = _WITH_DRAFTS
    left_out = _FILES
    references = {
        "employee_id": "workforce_employees.id",
        "expenses_expensable_id": "workforce_expensables.id",
        "project_id": "workforce_projects.id",
    }


class PerDiems(FactorialStream):
    """Journeys that are paid by the day."""

    name = "workforce_per_diems"
    path = "/expenses/per_diems"
    left_out = _FILES
    references = {
        "employee_id": "workforce_employees.id",
        "expenses_expensable_id": "workforce_expensables.id",
        "project_id": "workforce_projects.id",
    }


STREAMS = (
    Expenses,
    Expensables,
    Mileages,
    PerDiems,
)
