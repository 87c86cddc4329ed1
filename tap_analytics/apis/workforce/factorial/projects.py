"""Further streams of Factorial: projects, who works on them and for how long."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream
from tap_analytics.apis.workforce.factorial.keys import OptionalId


class Projects(FactorialStream):
    """Projects, with their minutes and costs, which the server adds up on demand."""

    name = "workforce_projects"
    path = "/project_management/projects"
    fixed_params = {"include_inputed_minutes": "true", "include_costs": "true"}
    references = {
        "client_id": "workforce_finance_contacts.id",
        "legal_entity_id": "workforce_legal_entities.id",
    }


class Subprojects(OptionalId):
    """Parts of projects."""

    name = "workforce_subprojects"
    path = "/project_management/subprojects"
    fixed_params = {"include_inputed_minutes": "true", "include_cost": "true"}
    references = {
        "project_id": "workforce_projects.id",
    }


class ProjectWorkers(FactorialStream):
    """Who works on which project, with minutes and costs."""

    name = "workforce_project_workers"
    path = "/project_management/project_workers"
    fixed_params = {
        "include_inputed_minutes": "true",
        "include_labor_cost": "true",
        "include_cost": "true",
    }
    references = {
        "employee_id": "workforce_employees.id",
        "project_id": "workforce_projects.id",
    }


class ProjectTasks(FactorialStream):
    """Tasks of projects."""

    name = "workforce_project_tasks"
    path = "/project_management/project_tasks"
    references = {
        "project_id": "workforce_projects.id",
        "subproject_id": "workforce_subprojects.id",
        "task_id": "tasks.id",
    }


class TimeRecords(FactorialStream):
    """Time worked on projects."""

    name = "workforce_time_records"
    path = "/project_management/time_records"
    references = {
        "attendance_shift_id": "workforce_attendance_shifts.id",
        "employee_id": "workforce_employees.id",
        "project_id": "workforce_projects.id",
        "project_task_id": "workforce_project_tasks.id",
        "project_worker_id": "workforce_project_workers.id",
        "subproject_id": "workforce_subprojects.id",
    }


class ExpenseRecords(FactorialStream):
    """Expenses of projects."""

    name = "workforce_expense_records"
    path = "/project_management/expense_records"
    references = {
        "expense_id": "workforce_expenses.id",
        "project_worker_id": "workforce_project_workers.id",
        "subproject_id": "workforce_subprojects.id",
    }


class PlannedRecords(FactorialStream):
    """Time that is planned for projects."""

    name = "workforce_planned_records"
    path = "/project_management/planned_records"
    references = {
        "project_worker_id": "workforce_project_workers.id",
        "subproject_id": "workforce_subprojects.id",
    }


STREAMS = (
    Projects,
    Subprojects,
    ProjectWorkers,
    ProjectTasks,
    TimeRecords,
    ExpenseRecords,
    PlannedRecords,
)
