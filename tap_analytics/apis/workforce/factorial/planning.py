"""Further streams of Factorial: how the work of employees is planned."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.keys import OptionalId


class PlanningVersions(OptionalId):
    """Which schedule or tool an employee is planned with, those of the past included."""

    name = "workforce_planning_versions"
    path = "/time_planning/planning_versions"
    fixed_params = {"only_active": "false"}
    references = {
        "employee_id": "workforce_employees.id",
        "work_schedule_schedule_id": "schedules.id",
    }


STREAMS = (PlanningVersions,)
